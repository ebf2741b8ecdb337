// graftd-manifest(5).
#include <fmt/format.h>

#include "daemon/manual.hpp"
#include "daemon/manual_text.hpp"
#include "kinds/decoders.hpp"
#include "manifest/envelope.hpp"
#include "manifest/limits.hpp"

namespace graft::daemon {

namespace {

using manifest::Decoder;
using manifest::FieldDoc;

std::string presence(const FieldDoc& field) {
  if (field.required_or_default == "optional") return "";
  if (field.required_or_default == "required") return " , required";
  return fmt::format(" , default Ql {}", mdoc::word(field.required_or_default));
}

std::string field_list(const std::vector<FieldDoc>& fields) {
  if (fields.empty()) return "";
  std::string out = ".Bl -tag -width Ds\n";
  for (const FieldDoc& field : fields)
    out += fmt::format(".It Ic {} Pq {}{}\n", mdoc::word(field.name), mdoc::words(field.type), presence(field)) +
           mdoc::prose(field.description);
  return out + ".El\n";
}

std::string children_of(const Decoder& parent) {
  std::string rows;
  for (const Decoder* child : kinds::all_decoders())
    if (!child->nested_as().empty() && child->nested_in() == parent.kind())
      rows += fmt::format(".It Ic {} Pq list\n", mdoc::word(child->nested_as())) +
              mdoc::prose(fmt::format("Children of kind {}, written inside.", child->kind().text()));
  return rows.empty() ? rows : ".Bl -tag -width Ds\n" + rows + ".El\n";
}

std::string kind_section(const Decoder& decoder) {
  std::string text = decoder.identity().empty() ? std::string("Known by its spec.")
                                                : fmt::format("Known by `metadata.{}`.", decoder.identity());
  text += decoder.server_wide() ? " Lives in no organization." : " Lives in `metadata.organization`.";
  if (!decoder.nested_as().empty())
    text += fmt::format(" Nested: an entry of `{}` in its {}.", decoder.nested_as(), decoder.nested_in().text());
  return mdoc::subsection(decoder.kind().text()) + mdoc::prose(text) + field_list(decoder.fields()) +
         children_of(decoder);
}

std::string documents() {
  return mdoc::section("DOCUMENTS") +
         mdoc::prose(
             "The directory of the manifests is walked for `*.yaml`, `*.yml` and `*.json`; names that begin with "
             "a dot are passed over. A file holds any number of documents, and each has") +
         ".Bl -tag -width Ds\n" + fmt::format(".It Ic apiVersion\n.Ql {} .\n", manifest::api_version) +
         mdoc::prose("A document without it is not graftd's, and is ignored.") + ".It Ic kind\n" +
         mdoc::prose("One of the kinds below.") + ".It Ic metadata\n" +
         mdoc::prose("What it is called and where it lives.") + ".It Ic spec\n" +
         mdoc::prose("How it should be: the fields of its kind.") + ".El\n" + mdoc::subsection("metadata") +
         field_list(manifest::metadata_table().docs());
}

std::string nesting() {
  return mdoc::section("NESTING") +
         mdoc::prose(
             "What lives in an organization is written inside its Organization document, or as a document that "
             "names it in `metadata.organization`; both mean the same. A nested child has its name or uid, its "
             "labels and its annotations beside its fields. To declare one resource twice, in whatever form, is "
             "an error. A folder, a parent or a service account that a document names must be declared; an "
             "organization need not be, but must then exist in Grafana.");
}

std::string dashboards() {
  return mdoc::section("DASHBOARDS IN FILES") +
         mdoc::prose(
             "A dashboard is written inline (`model`), lies in a file (`file`), or in a directory with others "
             "(`directory`). Paths are relative to the folder of the manifest, and cannot leave the tree. Taken "
             "are the JSON model, the `{\"dashboard\": ...}` of the HTTP API, and objects of "
             "`dashboard.grafana.app`. `uid` in the manifest wins over the model's; in a `directory` a dashboard "
             "without a uid gets one from its path. `inputs` answers what an export for sharing externally asks "
             "for.");
}

std::string limits() {
  namespace limits = manifest::limits;
  const auto item = [](std::string_view what, const std::string& limit) {
    return fmt::format(".It {}\n{}\n", mdoc::words(what), limit);
  };
  return mdoc::section("YAML AND ITS LIMITS") +
         mdoc::prose(
             "Not read are merge keys, tags, and keys that are no strings. `yes`, `no`, `on`, `0640` and `0x1f` "
             "are strings; numbers are written as in JSON. The limits are") +
         ".Bl -tag -width \"values in one document\" -compact -offset indent\n" +
         item("one manifest file", fmt::format("{} MiB", limits::manifest_bytes >> 20U)) +
         item("one dashboard file", fmt::format("{} MiB", limits::dashboard_bytes >> 20U)) +
         item("the whole tree", fmt::format("{} MiB, {} documents", limits::tree_bytes >> 20U, limits::documents)) +
         item("nesting", fmt::format("{} levels", limits::depth)) +
         item("values in one document", fmt::format("{}", limits::nodes)) + ".El\n";
}

std::string files() {
  return mdoc::section("FILES") + ".Bl -tag -width Ds\n.It Pa /usr/share/graftd/schema/manifest.schema.json\n" +
         mdoc::prose(
             "The JSON Schema of a manifest of any kind, for editors; beside it is one for each kind. A first "
             "line tells them of it:") +
         mdoc::literal("# yaml-language-server: $schema=/usr/share/graftd/schema/manifest.schema.json") +
         ".It Pa /usr/share/doc/graftd/docs/manifests.md , tokens.md\n" +
         mdoc::prose("More of manifests, and of the life of a token.") +
         ".It Pa /usr/share/doc/graftd/examples/\nExamples.\n.El\n";
}

}  // namespace

std::string manual_of_manifests(std::string_view example) {
  std::string out = mdoc::head({"graftd-manifest", "5"}, "manifests of graftd") + mdoc::section("DESCRIPTION") +
                    mdoc::prose("A manifest says what should be in Grafana.") + ".Xr graftd 8\n" +
                    mdoc::prose(
                        "reads all of them as one revision and makes Grafana equal to what they say. Nothing of "
                        "a revision with an error in it is applied; `graftd check` finds the same errors "
                        "offline, with file, line and column.") +
                    documents() + mdoc::section("KINDS");
  for (const Decoder* decoder : kinds::all_decoders()) out += kind_section(*decoder);
  return out + nesting() + dashboards() + limits() + files() + mdoc::section("EXAMPLES") + mdoc::literal(example) +
         mdoc::see_also({{"graftd.yaml", "5"}, {"graftd", "8"}});
}

}  // namespace graft::daemon
