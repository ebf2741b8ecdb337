// Cases for the JSON Schemas: texts, what graftd says of them, and what the schema says (by validate.py, which is
// python3-jsonschema).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace graft::test {

struct Case {
  std::string name;
  std::map<std::string, std::string> files;
  std::vector<std::string> errors;  // graftd's; none: it takes the case
};

struct Judgement {
  bool valid = false;
  std::size_t documents = 0;  // that were looked at
  std::string why;            // it is not valid
  std::set<std::string> keywords;
};

struct Judgements {
  std::set<std::string> keywords;  // that the schema uses
  std::vector<Judgement> each;     // of the cases, in their order
};

// `schema` is a file of config/schema. With `manifests`, documents that are not graftd's are passed over.
Judgements judge(const std::string& schema, bool manifests, const std::vector<Case>& cases);

// What the tests of another program recorded: a line of JSON for each case.
std::vector<Case> recorded_by(const std::string& program, const std::string& source_files);

}  // namespace graft::test
