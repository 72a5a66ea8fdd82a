#include "config/yaml.hpp"

#include <algorithm>
#include <sstream>
#include <unordered_set>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "config/locator.hpp"

namespace nnrun::core {

namespace {

// Builds the tree from the parser's events rather than from YAML::Node: events still have duplicate keys, and an alias
// is a name there, not a graph that may be a cycle or as large as the memory.
class Builder : public YAML::EventHandler {
 public:
  // The parser gets the text from `offset` on, so its marks count from there.
  Builder(const SourcePointer& source, std::size_t offset) : source_(source), offset_(offset), locator_(source) {}

  Node finish() {
    if (!errors_.empty()) throw DiagnosticError(std::move(errors_));
    return std::move(root_);
  }
  bool has_document() const { return has_document_; }
  bool is_open() const { return !stack_.empty(); }
  const Location& opened_at() const { return stack_.back().node.where; }
  std::vector<Diagnostic>& errors() { return errors_; }

  Location locate_mark(const YAML::Mark& mark, std::size_t bytes) { return locator_(byte_of(mark), bytes); }

  void OnDocumentStart(const YAML::Mark&) override { has_document_ = true; }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    errors_.push_back(
        make_error(locate_mark(mark, name.size() + 1),
                   "anchor " + quote("&" + name) + ": a config has no anchors and aliases; write the value out, or use 'extends'"));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node;
    node.where = locate_mark(mark, 1);
    errors_.push_back(make_error(node.where, "a config has no anchors and aliases; write the value out, or use 'extends'"));
    node.text = "~";
    add(std::move(node));
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node;
    const std::size_t byte = byte_of(mark);
    for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
      if (std::string_view(source_->text).substr(byte).starts_with(word)) node.text = word;
    }
    // A value that was left out has the mark of whatever comes next: its key is the better place.
    const bool has_key = !stack_.empty() && !stack_.back().wants_key && stack_.back().node.is_map();
    if (node.text.empty() && has_key) {
      node.where = stack_.back().key_where;
    } else {
      node.where = locator_(node.text.empty() ? dash_before(byte) : byte, std::max<std::size_t>(1, node.text.size()));
    }
    add(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = value;
    node.quoted = tag != "?";
    node.where = locator_(byte_of(mark), raw_length(byte_of(mark), value));
    check_tag(tag, node.where);
    if (value.find('\0') != std::string::npos) errors_.push_back(make_error(node.where, "a text cannot contain the character \\0"));
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    bool wants_key = true;
    bool skip_value = false;  // of a duplicate key
    std::string key;
    Location key_where;
    std::unordered_set<std::string> keys;
  };

  std::size_t byte_of(const YAML::Mark& mark) const {
    const std::size_t byte = offset_ + (mark.pos > 0 ? static_cast<std::size_t>(mark.pos) : 0);
    return std::min(byte, source_->text.size());
  }

  // The '-' of an item that was left out.
  std::size_t dash_before(std::size_t byte) const {
    const std::string_view text = std::string_view(source_->text).substr(0, byte);
    const std::size_t nearby = text.size() > 200 ? text.size() - 200 : 0;
    const std::size_t dash = text.substr(nearby).rfind('-');
    return dash == std::string_view::npos ? byte : nearby + dash;
  }

  bool never_closes(std::size_t byte) const {
    const std::string& text = source_->text;
    std::size_t depth = 0;
    char quote_mark = 0;
    for (; byte < text.size(); ++byte) {
      const char c = text[byte];
      if (quote_mark != 0) {
        if (c == '\\' && quote_mark == '"') {
          ++byte;
        } else if (c == quote_mark) {
          quote_mark = 0;
        }
      } else if (c == '"' || c == '\'') {
        quote_mark = c;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if ((c == ']' || c == '}') && --depth == 0) {
        return false;
      }
      if (depth == 0) return false;  // is no bracket
    }
    return true;
  }

  // How many bytes of the source a scalar takes: more than its value where it is quoted.
  std::size_t raw_length(std::size_t byte, const std::string& value) const {
    const std::string_view rest = std::string_view(source_->text).substr(byte);
    if (rest.empty()) return 1;
    if (rest[0] == '"' || rest[0] == '\'') {
      for (std::size_t i = 1; i < rest.size() && rest[i] != '\n'; ++i) {
        if (rest[0] == '"' && rest[i] == '\\') {
          ++i;
        } else if (rest[i] == rest[0]) {
          return i + 1;
        }
      }
      return rest.size();
    }
    if (rest[0] == '|' || rest[0] == '>') return 1;
    return std::max<std::size_t>(1, value.size());
  }

  [[noreturn]] void give_up(Diagnostic error) {
    errors_.push_back(std::move(error));
    throw DiagnosticError(std::move(errors_));
  }

  void check_tag(const std::string& tag, const Location& where) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    errors_.push_back(make_error(where, "tag " + quote(tag) + ": a config has no tags; the parameter decides the type"));
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    Frame frame;
    frame.node.kind = kind;
    frame.node.where = locate_mark(mark, 1);
    if (!stack_.empty() && stack_.back().node.is_map() && stack_.back().wants_key) {
      const bool is_open_bracket = never_closes(byte_of(mark));  // the parser takes one for the start of a key
      give_up(make_error(frame.node.where, is_open_bracket ? "this bracket is never closed" : "a key must be a word, not a list or map"));
    }
    if (stack_.size() >= max_config_depth) {
      give_up(make_error(frame.node.where, "nested deeper than " + std::to_string(max_config_depth) + " levels"));
    }
    check_tag(tag, frame.node.where);
    stack_.push_back(std::move(frame));
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (++nodes_ > max_config_nodes) {
      give_up(make_error(node.where, "more than " + std::to_string(max_config_nodes) + " values, which no config needs"));
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.is_sequence()) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.wants_key) {
      add_key(frame, node);
    } else {
      frame.wants_key = true;
      if (!frame.skip_value) frame.node.entries.push_back({std::move(frame.key), std::move(frame.key_where), std::move(node)});
    }
  }

  void add_key(Frame& frame, Node& node) {
    if (frame.node.entries.size() >= max_config_keys) {
      give_up(make_error(node.where, "a map with more than " + std::to_string(max_config_keys) + " keys"));
    }
    if (node.is_null()) {
      if (node.text.empty()) give_up(make_error(node.where, "a key is missing before ':'"));
      node.kind = Node::Kind::scalar;
    }
    frame.wants_key = false;
    frame.skip_value = false;
    frame.key = std::move(node.text);
    frame.key_where = node.where;
    if (frame.key == "<<" && !node.quoted) {
      errors_.push_back(
          make_error(node.where, "'<<' does not merge maps in a config; to build on another file, write 'extends: other.yaml'"));
      frame.skip_value = true;
    } else if (!frame.keys.insert(frame.key).second) {
      report_duplicate(frame, node.where);
      frame.skip_value = true;
    }
  }

  void report_duplicate(const Frame& frame, const Location& where) {
    const Node::Entry* first = frame.node.find(frame.key);
    Diagnostic error = make_error(where, "duplicate key " + quote(frame.key));
    if (first != nullptr) {
      const std::string line = std::to_string(where.line);
      error.message += first->key_where.line == where.line
                           ? ": line " + line + " sets it twice; keep one"
                           : ": lines " + std::to_string(first->key_where.line) + " and " + line + " both set it; keep one";
      error.notes.push_back(make_note(first->key_where, "first set here"));
    }
    errors_.push_back(std::move(error));
  }

  SourcePointer source_;
  std::size_t offset_;
  Locator locator_;
  std::vector<Frame> stack_;
  std::vector<Diagnostic> errors_;
  Node root_;
  std::size_t nodes_ = 0;
  bool has_document_ = false;
};

// For what comes behind the first document.
struct SecondDocument {
  YAML::Mark mark;
};
class NothingMore : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { throw SecondDocument{mark}; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// What to do about it, where the parser's own words leave that open.
std::string explain_parser(const std::string& message) {
  namespace Msg = YAML::ErrorMsg;
  const auto is = [&](const char* text) { return message.find(text) != std::string::npos; };
  if (is(Msg::END_OF_MAP_FLOW)) return "expected ',' or '}' here";
  if (is(Msg::END_OF_SEQ_FLOW)) return "expected ',' or ']' here";
  if (is(Msg::END_OF_MAP)) return "expected a key of the map here: is the indentation right?";
  if (is(Msg::END_OF_SEQ)) return "expected a '-' of the list here: is the indentation right?";
  if (is(Msg::TAB_IN_INDENTATION)) return "a tab in the indentation: YAML allows only spaces there";
  if (is(Msg::MAP_VALUE)) return "no ':' is expected here: quote the text if the ':' belongs to it, and look at the indentation";
  if (is(Msg::MAP_KEY)) return "no key is expected here: is the indentation right?";
  if (is(Msg::BLOCK_ENTRY)) return "no '-' is expected here: each item of a list goes on a line of its own";
  if (is(Msg::EOF_IN_SCALAR)) return "this quoted text is never closed";
  if (is(Msg::DOC_IN_SCALAR)) return "a quoted text goes on over '---' or '...': is its closing quote missing?";
  if (is(Msg::FLOW_END)) return "this bracket closes nothing";
  if (is(Msg::UNKNOWN_ANCHOR) || is(Msg::ALIAS_NOT_FOUND) || is(Msg::CHAR_IN_ALIAS) || is(Msg::ANCHOR_NOT_FOUND) ||
      is(Msg::CHAR_IN_ANCHOR)) {
    return "a config has no anchors and aliases: quote the text if '&' or '*' belongs to it";
  }
  if (is(Msg::UNKNOWN_TOKEN)) return "a value cannot start with this character: quote the text";
  return "not YAML: " + message;
}

[[noreturn]] void report_parser(Builder& builder, const YAML::Exception& exception) {
  std::vector<Diagnostic> errors = std::move(builder.errors());
  Diagnostic error = make_error(builder.locate_mark(exception.mark, 1), explain_parser(exception.msg));
  const bool in_brackets = exception.msg == YAML::ErrorMsg::END_OF_MAP_FLOW || exception.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (in_brackets && builder.is_open()) error.notes.push_back(make_note(builder.opened_at(), "the bracket that opens here is still open"));
  errors.push_back(std::move(error));
  throw DiagnosticError(std::move(errors));
}

void refuse_more_documents(YAML::Parser& parser, Builder& builder) {
  try {
    NothingMore nothing;
    parser.HandleNextDocument(nothing);
  } catch (const SecondDocument& second) {
    throw DiagnosticError(builder.locate_mark(second.mark, 1), "the config ends before this: one file holds one document");
  }
}

}  // namespace

const Node::Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Node::Entry* Node::find(std::string_view key) { return const_cast<Entry*>(std::as_const(*this).find(key)); }

Node parse_document(const SourcePointer& source, std::size_t offset) {
  Builder builder(source, offset);
  std::istringstream stream(source->text.substr(offset));
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    if (builder.has_document()) refuse_more_documents(parser, builder);
  } catch (const YAML::Exception& exception) {
    report_parser(builder, exception);
  }
  return builder.finish();
}

Node parse_yaml(const SourcePointer& source) {
  check_bytes(source);
  check_indentation(source);
  Node root = parse_document(source, 0);
  if (root.is_null()) throw DiagnosticError(whole_file(source), "the file is empty: a config needs at least a 'model'");
  if (!root.is_map()) {
    throw DiagnosticError(root.where, "a config is a map of sections, such as 'model:' and 'train:'");
  }
  return root;
}

Node parse_yaml(std::string name, std::string text) { return parse_yaml(make_source(std::move(name), std::move(text))); }

}  // namespace nnrun::core
