// How the objects of a C library are owned: std::unique_ptr<git_tree, Releaser<git_tree_free>>.
#pragma once

namespace graft::git {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

}  // namespace graft::git
