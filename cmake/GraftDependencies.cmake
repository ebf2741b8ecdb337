# Everything comes from Debian 12 packages; scripts/packages lists them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(boost_url 1.81 REQUIRED CONFIG)
find_package(prometheus-cpp REQUIRED CONFIG COMPONENTS core)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBGIT2 REQUIRED IMPORTED_TARGET libgit2>=1.5)
pkg_check_modules(LIBSYSTEMD REQUIRED IMPORTED_TARGET libsystemd>=252)
if(GRAFTD_TESTS)
  find_package(doctest 2.4 REQUIRED)
  find_package(rapidcheck REQUIRED)
endif()

# Asio and Beast: their implementation is compiled once, here (docs in CONTRIBUTING.md, "compile time").
add_library(graft_asio STATIC ${CMAKE_CURRENT_LIST_DIR}/asio_implementation.cpp)
target_compile_definitions(graft_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE BOOST_ALL_NO_LIB)
target_link_libraries(graft_asio PUBLIC Threads::Threads OpenSSL::SSL OpenSSL::Crypto)

add_library(graft_json INTERFACE)
target_link_libraries(graft_json INTERFACE nlohmann_json::nlohmann_json)
target_compile_definitions(graft_json INTERFACE JSON_USE_IMPLICIT_CONVERSIONS=0)
