// Descriptor and Directory: files reached step by step from an open folder, so that nobody can swap a folder for a link
// between two steps. And io_error: one wording for what the operating system refuses.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace graft {

// An open file descriptor; closed when destroyed.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }
  [[nodiscard]] bool close();  // false, with errno, when the system reports a late failure of a write

 private:
  int number_ = -1;
};

class Directory {
 public:
  // Links in `path` are followed: where the directory lies is its owner's business.
  [[nodiscard]] static Result<Directory> open(const std::string& path);
  // Makes it, and folders above it, with exactly `mode` when missing.
  [[nodiscard]] static Result<Directory> open_or_make(const std::string& path, unsigned mode);

  // A folder directly in this one. A link in its place is refused (ErrorCode::io); missing is ErrorCode::not_found.
  [[nodiscard]] Result<Directory> folder(const std::string& name) const;
  [[nodiscard]] Result<Directory> folder_or_make(const std::string& name, unsigned mode) const;

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }  // for messages
  [[nodiscard]] std::string path_of(const std::string& name) const;
  [[nodiscard]] Status sync() const;  // makes renames and removals in it durable

 private:
  Directory(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}
  Descriptor descriptor_;
  std::string path_;
};

// "cannot write /a/b: No space left on device", with the user id where rights are the matter and a hint at what to do.
// ErrorCode::not_found for a missing file, else ErrorCode::io; worth a retry, since people repair such things.
[[nodiscard]] Error io_error(std::string_view doing, const std::string& path, int error_number);

}  // namespace graft
