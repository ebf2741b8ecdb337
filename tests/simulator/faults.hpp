// Which fault, if any, strikes a request; and faults as they are written on the command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator.hpp"

namespace graft::simulator {

class Faults {
 public:
  // `seen` is the number of the last request; a fault counts from there.
  void add(Fault fault, std::uint64_t seen) { faults_.push_back({std::move(fault), seen}); }
  void clear() { faults_.clear(); }
  void restart_numbering();

  // The first fault that matches; it is used up once more by this.
  std::optional<Fault> take(std::uint64_t number, std::string_view method, std::string_view route);

 private:
  struct Pending {
    Fault fault;
    std::uint64_t from;
  };
  static bool matches(const Pending& pending, std::uint64_t number, std::string_view method, std::string_view route);

  std::vector<Pending> faults_;
};

inline constexpr std::string_view fault_syntax =
    "'METHOD ROUTE=KIND[:ARGUMENT]' or '#N=KIND[:ARGUMENT]', * for any method or route, @N behind for N times";

// "POST /api/orgs=drop_reply", "#3=status:503", "* *=delay:200@5"; nothing when it cannot be read.
std::optional<Fault> parse_fault(std::string_view text);

}  // namespace graft::simulator
