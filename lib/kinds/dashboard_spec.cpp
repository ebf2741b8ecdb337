#include "kinds/dashboard_spec.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "kinds/dashboard_model.hpp"
#include "kinds/spec_support.hpp"
#include "manifest/cursor.hpp"
#include "manifest/forms.hpp"
#include "manifest/limits.hpp"
#include "manifest/names.hpp"
#include "manifest/node_json.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

using manifest::Located;
using manifest::Reporter;
using nlohmann::json;

struct Written {
  Located<std::string> folder;
  Located<const manifest::Node*> model;
  Located<std::string> file, directory;
  Located<Inputs> inputs;
};

const manifest::Table<Written>& table() {
  using manifest::field;
  using manifest::optional;
  static const manifest::Table<Written> table{
      {field("folder", &Written::folder, manifest::uid_form(), optional,
             "The uid of the folder, declared in the same organization. At the root when left out."),
       field("model", &Written::model, manifest::map_form(), optional,
             "The dashboard itself, in YAML. One of model, file and directory is required."),
       field("file", &Written::file, manifest::text_form(), optional,
             "A .json file with the dashboard, relative to the folder of this manifest."),
       field("directory", &Written::directory, manifest::text_form(), optional,
             "A folder: every .json file in it, and in folders below it, is a dashboard."),
       field("inputs", &Written::inputs, manifest::text_map_form(), optional,
             "Values for the inputs of an export made for sharing externally, such as DS_PROMETHEUS.")},
      {{"folders"}},
      R"("oneOf":[{"required":["model"]},{"required":["file"]},{"required":["directory"]}])"};
  return table;
}

// One dashboard document: where it came from, and what is already known of it.
struct Source {
  json document;
  PlaceOf place;
  Position at;  // of the Desired
};

class Decoding {
 public:
  Decoding(const manifest::Metadata& metadata, const Written& written, manifest::Context& context)
      : metadata_(metadata), written_(written), context_(context) {}

  void run() {
    Reporter reporter = named(metadata_.name);
    if (!check_written(reporter)) return;
    if (written_.directory.given()) {
      directory(reporter);
    } else {
      std::optional<Source> source = written_.model.given() ? from_model(reporter) : from_named_file(reporter);
      if (!source) return;
      std::optional<DashboardModel> model = read(std::move(*source), reporter);
      if (model && choose_uid(*model, reporter)) declare(*model, metadata_.at);
    }
    check_inputs(reporter);
  }

 private:
  [[nodiscard]] Reporter named(const std::string& uid) const {
    return reporter_for({kind_dashboard, metadata_.organization, uid}, context_.diagnostics);
  }

  bool check_written(Reporter& reporter) {
    const std::array<bool, 3> ways{written_.model.given(), written_.file.given(), written_.directory.given()};
    const auto count = std::count(ways.begin(), ways.end(), true);
    if (count != 1) {
      reporter.error(
          metadata_.at,
          count == 0 ? "model, file or directory is missing" : "says more than one of model, file and directory",
          "write exactly one of them");
      return false;
    }
    if (written_.folder.value == "general") {
      reporter.error(written_.folder.at, "folder: general is Grafana's name for the root", "leave folder out");
      return false;
    }
    if (!metadata_.name_at.known()) return true;
    if (written_.directory.given()) {
      reporter.error(metadata_.name_at, "a uid cannot be given to a whole directory", "take it out");
      return false;
    }
    const auto problem = manifest::bad_uid(metadata_.name);
    if (problem) reporter.error(metadata_.name_at, fmt::format("uid: {}", problem->message), problem->hint);
    return !problem.has_value();
  }

  std::optional<Source> from_model(Reporter& reporter) {
    const manifest::Node* const node = written_.model.value;
    Result<json> document = manifest::to_json(*node);
    if (!document) {
      reporter.error(document.error().where, document.error().message, document.error().hint);
      return std::nullopt;
    }
    const PlaceOf place = [node](std::string_view field) {
      const manifest::Node* const value = field.empty() ? nullptr : node->find(field);
      return value == nullptr ? node->at : value->at;
    };
    return Source{std::move(*document), place, metadata_.at};
  }

  std::optional<Source> from_file(const std::string& path, const Position& asked_at, Reporter& reporter) {
    Position whole{std::make_shared<const std::string>(context_.files.display(path)), 0, 0};
    const Result<std::string> text = context_.files.read(path, manifest::limits::dashboard_bytes);
    if (!text) {
      reporter.error(asked_at, text.error().message, text.error().hint);
      return std::nullopt;
    }
    Result<json> document = parse_json(*text);
    if (!document) {
      Position at = document.error().where;
      at.file = whole.file;
      reporter.error(at, document.error().message, document.error().hint);
      return std::nullopt;
    }
    return Source{std::move(*document), [whole](std::string_view) { return whole; }, whole};
  }

  std::optional<Source> from_named_file(Reporter& reporter) {
    const Result<std::string> path = manifest::path_in_tree(context_.document_path, written_.file.value);
    if (!path) {
      reporter.error(written_.file.at, fmt::format("file: {}", path.error().message), path.error().hint);
      return std::nullopt;
    }
    if (!path->ends_with(".json")) {
      reporter.error(written_.file.at, fmt::format("file: {} is no .json file", graft::quote(written_.file.value)));
      return std::nullopt;
    }
    return from_file(*path, written_.file.at, reporter);
  }

  std::optional<DashboardModel> read(Source&& source, Reporter& reporter) {
    place_ = source.place;
    std::optional<DashboardModel> model =
        read_dashboard(std::move(source.document), written_.inputs.value, asked_, source.place, reporter);
    if (model && !model->folder.empty() && model->folder != written_.folder.value) {
      reporter.warning(
          source.place(""),
          fmt::format("the folder {} in the dashboard's document is not used", graft::quote(model->folder)),
          "say it in the manifest: folder");
    }
    return model;
  }

  // metadata.uid, else the model's own; in model and file there must be one.
  bool choose_uid(DashboardModel& model, Reporter& reporter) {
    if (!metadata_.name.empty()) {
      if (!model.uid.empty() && model.uid != metadata_.name) {
        reporter.warning(place_("uid"),
                         fmt::format("the model says uid {}; the manifest's wins", graft::quote(model.uid)),
                         "take the model's uid out");
      }
      model.uid = metadata_.name;
      return true;
    }
    if (model.uid.empty()) {
      reporter.error(metadata_.at, "the dashboard has no uid",
                     "give it one beside its spec (metadata.uid), or in the model");
      return false;
    }
    return check_model_uid(model, reporter);
  }

  bool check_model_uid(const DashboardModel& model, Reporter& reporter) {
    const auto problem = manifest::bad_uid(model.uid);
    if (problem) reporter.error(place_("uid"), fmt::format("uid: {}", problem->message), problem->hint);
    return !problem.has_value();
  }

  void directory(Reporter& reporter) {
    Result<std::string> folder = manifest::path_in_tree(context_.document_path, written_.directory.value);
    const auto entries = folder ? context_.files.list(*folder) : fail(folder.error());
    if (!entries) {
      reporter.error(written_.directory.at, fmt::format("directory: {}", entries.error().message),
                     entries.error().hint);
      return;
    }
    std::size_t count = 0;
    for (const manifest::Files::Entry& entry : *entries) {
      if (!entry.path.ends_with(".json")) continue;
      ++count;
      from_directory(entry.path);
    }
    if (count == 0) {
      reporter.warning(written_.directory.at,
                       fmt::format("directory: no .json file in {}", graft::quote(written_.directory.value)));
    }
  }

  void from_directory(const std::string& path) {
    Reporter reporter(context_.diagnostics, std::string(kind_dashboard.text()));
    const Position whole{std::make_shared<const std::string>(context_.files.display(path)), 0, 0};
    std::optional<Source> source = from_file(path, whole, reporter);
    std::optional<DashboardModel> model = source ? read(std::move(*source), reporter) : std::nullopt;
    if (!model) {
      complete_ = false;
      return;
    }
    if (model->uid.empty()) {
      model->uid = derived_dashboard_uid(path);
      reporter.note(whole, fmt::format("has no uid; {} is derived from its path", graft::quote(model->uid)),
                    "write a uid into it, so that it can be moved");
    }
    if (check_model_uid(*model, reporter)) declare(*model, whole);
  }

  void declare(const DashboardModel& model, const Position& at) {
    const std::string& folder = written_.folder.value;
    Desired desired = make_desired({kind_dashboard, metadata_.organization, model.uid},
                                   canonical(DashboardSpec{folder, model.text}), at);
    if (!folder.empty()) desired.needs.push_back({kind_folder, metadata_.organization, folder});
    context_.out.push_back(std::move(desired));
  }

  void check_inputs(Reporter& reporter) {
    if (!complete_) return;  // a document that was not read may have asked for them
    const std::vector<std::string_view> known(asked_.begin(), asked_.end());
    for (const auto& [name, value] : written_.inputs.value) {
      if (asked_.contains(name)) continue;
      const auto near = did_you_mean(name, known);
      reporter.error(written_.inputs.at, fmt::format("inputs: no dashboard here asks for {}", graft::quote(name)),
                     near ? fmt::format("did you mean {}?", graft::quote(*near)) : "take it out");
    }
  }

  const manifest::Metadata& metadata_;
  const Written& written_;
  manifest::Context& context_;
  PlaceOf place_;
  std::set<std::string> asked_;  // inputs that the documents ask for
  bool complete_ = true;
};

class DashboardDecoder final : public manifest::Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return kind_dashboard; }
  [[nodiscard]] std::string_view identity() const override { return "uid"; }
  [[nodiscard]] std::string_view nested_as() const override { return "dashboards"; }
  [[nodiscard]] KindName nested_in() const override { return kind_organization; }
  [[nodiscard]] std::vector<manifest::FieldDoc> fields() const override { return table().docs(); }
  [[nodiscard]] std::string json_schema() const override { return table().schema(); }

  void decode(const manifest::Metadata& metadata, const manifest::Node& spec,
              manifest::Context& context) const override {
    Reporter reporter = reporter_for({kind_dashboard, metadata.organization, metadata.name}, context.diagnostics);
    const std::optional<Written> written = table().read(spec, reporter, context.also_known);
    if (written) Decoding(metadata, *written, context).run();
  }
};

}  // namespace

const manifest::Decoder& dashboard_decoder() {
  static const DashboardDecoder decoder;
  return decoder;
}

// Put together as text: both halves are canonical already, and a model may be 16 MiB.
std::string canonical(const DashboardSpec& spec) {
  return fmt::format(R"({{"folder":{},"spec":{}}})", canonical_text(json(spec.folder)), spec.spec);
}

Result<DashboardSpec> dashboard_from_canonical(std::string_view canonical) {
  const auto document = read_canonical(canonical, kind_dashboard.text());
  if (!document) return fail(document.error());
  const auto spec = document->find("spec");
  if (spec == document->end()) return fail(ErrorCode::internal, "the canonical text of a dashboard has no spec");
  return DashboardSpec{text_at(*document, "folder"), canonical_text(*spec)};
}

}  // namespace graft::kinds
