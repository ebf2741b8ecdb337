// Secret: a password or key from the moment it is read. It is move-only, wiped when destroyed, and cannot be printed,
// formatted, serialised, compared or copied; what needs its bytes says so by calling reveal() (tests/unit/base has the
// compile-time proof).
#pragma once

#include <string>
#include <string_view>

namespace graft {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string&& value);  // takes the bytes over and wipes the source
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  [[nodiscard]] bool empty() const { return value_.empty(); }
  // The bytes. Valid while the Secret lives; never store, log or put them where they outlive the call.
  [[nodiscard]] std::string_view reveal() const { return value_; }
  [[nodiscard]] Secret clone() const;  // on purpose, by name

  bool operator==(const Secret&) const = delete;

 private:
  std::string value_;
};

// Overwrites the bytes of a buffer that held a secret; not optimised away.
void wipe(std::string& buffer);

}  // namespace graft
