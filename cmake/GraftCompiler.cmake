# One place for what every translation unit is compiled with: C++23, warnings as errors, sanitizers on request.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(graft_options INTERFACE)
target_compile_options(graft_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  -Wconversion -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports "maybe uninitialized" and "dangling"-like findings inside coroutine frames and std::expected that
  # are false with optimisation and sanitizers together (GCC PR 105562 and relatives); clang 19 checks the same code.
  target_compile_options(graft_options INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-stringop-overread -Wno-restrict -Wno-mismatched-new-delete)
else()
  # libstdc++ 12 in C++23 mode uses its own deprecated get_temporary_buffer inside std::stable_sort.
  target_compile_options(graft_options INTERFACE -Wno-deprecated-declarations)
endif()

if(GRAFTD_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
