#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <utility>
#include <vector>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text.hpp"
#include "manifest/duplicate_keys.hpp"
#include "manifest/limits.hpp"
#include "manifest/reader.hpp"
#include "model/json_place.hpp"

namespace graft::manifest {

namespace {

constexpr std::string_view plain = "?", quoted_tag = "!";  // yaml-cpp's tags for scalars without one

// Leaves yaml-cpp from inside one of its callbacks; caught in read_yaml and never seen outside.
struct Refused {
  Position at;
  std::string message, hint;
};

std::size_t height(const Node& node) {
  std::size_t below = 0;
  for (const Node& item : node.items) below = std::max(below, height(item));
  for (const auto& [key, value] : node.entries) below = std::max(below, height(value));
  const bool container = node.type == Node::Type::sequence || node.type == Node::Type::map;
  return below + (container ? 1 : 0);
}

std::size_t count(const Node& node) {
  std::size_t total = 1;
  for (const Node& item : node.items) total += count(item);
  for (const auto& [key, value] : node.entries) total += 1 + count(value);
  return total;
}

// Whether the quoted scalar at `at` is closed: yaml-cpp 0.7 takes the end of a file that ends in a line end for the
// closing quote, so that half a manifest would be read as a whole one. What is not quoted is closed.
bool quote_closed(std::string_view text, std::size_t at) {
  while (at < text.size()) {  // an anchor or "!" may stand before the value, and is where yaml-cpp says that it begins
    const std::size_t start = text.find_first_not_of(" \t\r\n", at);
    if (start == text.npos) return true;
    at = start;
    if (text[at] == '#')
      at = std::min(text.find('\n', at), text.size());
    else if (text[at] == '&' || text[at] == '!')
      at = std::min(text.find_first_of(" \t\r\n", at), text.size());
    else
      break;
  }
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return true;
  const char quote = text[at++];
  for (; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\')
      ++at;
    else if (text[at] == quote && quote == '\'' && text.substr(at + 1).starts_with(quote))
      ++at;
    else if (text[at] == quote)
      return true;
  }
  return false;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, FileName file) : text_(text), file_(std::move(file)) {}

  [[nodiscard]] Node take() { return std::exchange(root_, Node{}); }

  [[nodiscard]] Position place(const YAML::Mark& mark) const {
    return {file_, static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
  }

  // yaml-cpp starts another document at whatever follows a complete one, and starts it there again and again when it
  // cannot read it (`,`). Only what `---` announces is a document.
  void OnDocumentStart(const YAML::Mark& mark) override {
    const bool announced = text_.substr(static_cast<std::size_t>(mark.pos), 3) == "---";
    if (started_ > 0 && (!announced || mark.pos <= last_start_)) {
      throw Refused{place(mark), "this follows a complete document", "separate documents with a line of ---"};
    }
    last_start_ = mark.pos;
    ++started_;
    nodes_ = aliases_ = copied_ = 0;
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(scalar(mark, Node::Type::null, {}), anchor, true);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    const bool unquoted = tag == plain;
    if (!unquoted && !quote_closed(text_, static_cast<std::size_t>(mark.pos))) {
      throw Refused{place(mark), "a quote is not closed", "is this the whole file?"};
    }
    if (value.find('\0') != value.npos) throw Refused{place(mark), "NUL character in a string", "take it out"};
    add(scalar(mark, unquoted ? plain_scalar_type(value) : Node::Type::string, value), anchor, unquoted);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (++aliases_ > limits::aliases) {
      throw Refused{place(mark), fmt::format("more than {} aliases in one document", limits::aliases), "write it out"};
    }
    if (expects_key()) throw Refused{place(mark), "an alias cannot be a key", "write the key out"};
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused{place(mark), "an alias inside of what it stands for", "write it out"};
    if (open_.size() + height(found->second) > limits::depth) too_deep(mark);
    copy_budget(mark, count(found->second));
    Node node = found->second;
    node.at = place(mark);
    attach(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Type::sequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Node::Type::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override {
    if (const auto twice = find_duplicate_key(open_.back().node)) throw Refused{twice->at, twice->message, twice->hint};
    close();
  }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    Node key;
  };

  [[nodiscard]] bool expects_key() const {
    return !open_.empty() && open_.back().node.type == Node::Type::map && !open_.back().has_key;
  }

  Node scalar(const YAML::Mark& mark, Node::Type type, std::string value) {
    Node node;
    node.type = type;
    node.at = place(mark);
    node.scalar = std::move(value);
    return node;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == plain || tag == quoted_tag) return;
    throw Refused{place(mark), fmt::format("tag {}: tags are not supported", graft::quote(tag)),
                  "leave it out; quote a value to make it a string"};
  }

  [[noreturn]] void too_deep(const YAML::Mark& mark) const {
    throw Refused{place(mark), fmt::format("nested deeper than {} levels", limits::depth), {}};
  }

  void count_node(const Position& at) {
    if (++nodes_ > limits::nodes) {
      throw Refused{at, fmt::format("more than {} values in one document", limits::nodes), "split the document"};
    }
  }

  void copy_budget(const YAML::Mark& mark, std::size_t more) {
    copied_ += more;
    if (copied_ > limits::copied_nodes) {
      throw Refused{place(mark), fmt::format("anchors and aliases stand for more than {} values", limits::copied_nodes),
                    "write it out"};
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Type type) {
    refuse_tag(mark, tag);
    if (expects_key())
      throw Refused{place(mark), "a key must be a string",
                    "a list or a map cannot be a key; or is a bracket not closed?"};
    if (open_.size() == limits::depth) too_deep(mark);
    count_node(place(mark));
    open_.push_back({scalar(mark, type, {}), anchor, false, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    remember(done.anchor, done.node);
    attach(std::move(done.node));
  }

  void remember(YAML::anchor_t anchor, const Node& node) {
    if (anchor == 0) return;
    copy_budget({}, count(node));
    anchors_.insert_or_assign(anchor, node);
  }

  void add(Node node, YAML::anchor_t anchor, bool unquoted) {
    count_node(node.at);
    remember(anchor, node);
    if (expects_key()) {
      check_key(node, unquoted);
      open_.back().key = std::move(node);
      open_.back().has_key = true;
    } else {
      attach(std::move(node));
    }
  }

  static void check_key(const Node& key, bool unquoted) {
    if (key.type != Node::Type::string) {
      const std::string text = key.scalar.empty() ? "null" : key.scalar;
      throw Refused{key.at, fmt::format("a key must be a string, not {}", Node::word(key.type)),
                    fmt::format("quote it: {}", graft::quote(text))};
    }
    if (unquoted && key.scalar == "<<") {
      throw Refused{key.at, "merge keys (<<) are not supported", "write the fields out, or use an alias for the value"};
    }
  }

  void attach(Node&& node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.type == Node::Type::sequence) {
      parent.node.items.push_back(std::move(node));
    } else {
      parent.node.entries.emplace_back(std::move(parent.key), std::move(node));
      parent.has_key = false;
    }
  }

  std::string_view text_;
  FileName file_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;  // finished ones of this document
  std::size_t started_ = 0, nodes_ = 0, aliases_ = 0, copied_ = 0;
  int last_start_ = 0;
};

std::string_view advice(std::string_view problem) {
  struct Row {
    std::string_view problem, advice;
  };
  static const std::array<Row, 6> rows{{
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "indent with spaces, never with tabs"},
      {YAML::ErrorMsg::MAP_VALUE, "quote a value that has \": \" in it; indent with spaces, never with tabs"},
      {YAML::ErrorMsg::END_OF_MAP, "check the indentation: keys of one map stand in one column"},
      {YAML::ErrorMsg::END_OF_SEQ, "check the indentation: items of one list stand in one column"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "a list in [ ] is not closed"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "a map in { } is not closed"},
  }};
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.problem == problem; });
  return row == rows.end() ? std::string_view("check quotes, indentation and brackets near here") : row->advice;
}

}  // namespace

bool read_yaml(std::string_view text, const FileName& file, Diagnostics& diagnostics, const TakeDocument& take) {
  if (const auto bad = unreadable(text)) {
    Position at = place_in(text, bad->offset);
    at.file = file;
    diagnostics.error(at, bad->message, bad->hint);
    return false;
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  TreeBuilder builder(text, file);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      Node document = builder.take();
      if (document.type != Node::Type::null) take(std::move(document));
    }
    return true;
  } catch (const Refused& refused) {
    diagnostics.error(refused.at, refused.message, refused.hint);
  } catch (const YAML::Exception& error) {
    diagnostics.error(builder.place(error.mark), fmt::format("not YAML: {}", printable(error.msg)),
                      std::string(advice(error.msg)));
  }
  return false;
}

}  // namespace graft::manifest
