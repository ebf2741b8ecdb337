# cmake -DIN=FILE -DOUT=FILE.cpp -DNAME=NAME -P Embed.cmake: FILE as `const std::string_view graft::admin::NAME`.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "#include \"admin/assets.hpp\"\n
namespace graft::admin {\n
namespace {\n
constexpr unsigned char bytes[] = {\n${bytes}};\n
}  // namespace\n
const std::string_view ${NAME}{reinterpret_cast<const char*>(bytes), sizeof bytes};\n
}  // namespace graft::admin\n")
