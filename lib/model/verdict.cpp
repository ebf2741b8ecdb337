#include "model/verdict.hpp"

namespace graft {

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::none:
      return "none";
    case Verb::create:
      return "create";
    case Verb::update:
      return "update";
    case Verb::wait:
      return "wait";
    case Verb::blocked:
      return "blocked";
    case Verb::unknown:
      return "unknown";
  }
  return "none";
}

}  // namespace graft
