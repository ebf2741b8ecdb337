// A thin layer over SQLite: handles that close themselves, and Result instead of codes. Nothing of graftd's schema.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace graft::state {

// True for failures that mean that the content of the file is at fault, and not the disk, rights or another process.
[[nodiscard]] bool means_damage(int sqlite_code);

class Statement {
 public:
  // Parameters are numbered from 1, columns from 0.
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, std::string_view value);  // copied
  void bind(int parameter, const std::optional<std::int64_t>& value);

  [[nodiscard]] Result<bool> step();  // true: a row is there
  [[nodiscard]] Status run();         // steps to the end

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class Database {
 public:
  enum class Access : std::uint8_t {
    read_write,  // the file exists
    read_only,   // beside a writer, or after one that crashed
    immutable,   // of a file that nobody writes: touches no other file
  };
  [[nodiscard]] static Result<Database> open(const std::string& path, Access access);

  [[nodiscard]] Status execute(const char* sql);  // one or more statements without values
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] Result<std::int64_t> integer(std::string_view sql);  // the first column of the first row
  [[nodiscard]] Result<std::string> text(std::string_view sql);

  [[nodiscard]] int last_code() const;
  [[nodiscard]] bool writable() const;

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Closer> database_;
};

}  // namespace graft::state
