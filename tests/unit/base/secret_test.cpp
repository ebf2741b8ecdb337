// What a Secret cannot do is proven by the compiler: each check below fails to compile, or asserts, when somebody adds
// the operation.
#include "base/secret.hpp"

#include <concepts>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>
#include <type_traits>

namespace graft {

namespace {

template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T>
concept Ordered = requires(const T& a, const T& b) { a < b; };
template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(std::is_nothrow_move_assignable_v<Secret>);
static_assert(!Comparable<Secret> && !Ordered<Secret>);
static_assert(!Streamable<Secret>);
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_constructible_v<nlohmann::json, Secret> && !std::is_constructible_v<nlohmann::json, Secret&>);
static_assert(!std::is_convertible_v<Secret, std::string> && !std::is_constructible_v<std::string, const Secret&>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_constructible_v<Secret, const std::string&> && !std::is_constructible_v<Secret, std::string&>);
static_assert(!std::is_convertible_v<std::string, Secret>);
// The checks themselves work: a string can do all of it.
static_assert(Comparable<std::string> && Ordered<std::string> && Streamable<std::string>);
static_assert(fmt::is_formattable<std::string>::value && std::is_constructible_v<nlohmann::json, std::string>);

}  // namespace

TEST_CASE("a secret takes its bytes over and leaves none behind in the source") {
  for (const std::size_t size : {0U, 5U, 15U, 16U, 46U, 1000U}) {
    std::string source(size, 'k');
    source.reserve(size + 10);
    Secret first(std::move(source));
    CHECK(source.empty());
    CHECK(first.reveal() == std::string(size, 'k'));
    Secret second(std::move(first));
    CHECK(first.empty());
    CHECK(second.reveal().size() == size);
    Secret third;
    third = std::move(second);
    CHECK(second.empty());
    CHECK(third.clone().reveal() == third.reveal());
    Secret& same = third;
    third = std::move(same);
    CHECK(third.reveal().size() == size);
  }
}

TEST_CASE("wiping overwrites the whole capacity") {
  std::string buffer(100, 'k');
  buffer.resize(3);
  const char* const memory = buffer.data();
  const std::size_t capacity = buffer.capacity();
  wipe(buffer);
  REQUIRE(buffer.empty());
  REQUIRE(buffer.capacity() == capacity);
  buffer.resize(capacity);  // writes zeros over zeros
  CHECK(std::string_view(memory, capacity).find('k') == std::string_view::npos);
}

}  // namespace graft
