# cmake -DOUTPUT=file -DNAMES="a;b" -DGNU=folder -DVENUS=folder -P embed.cmake: the kernels' texts as C++.
set(text "// Made by the build from plugins/kernels/riscv.\n#include \"kernel_sources.hpp\"\n\n#include <nnrun/plugin.hpp>\n\n#include <string>\n\nnamespace nnrun::exporters {\n\nnamespace {\n\nconstexpr KernelSource sources[] = {\n")
foreach(name ${NAMES})
  file(READ ${GNU}/${name}.s gnu)
  file(READ ${VENUS}/${name}.s venus)
  string(APPEND text "{\"${name}\", R\"text(${gnu})text\", R\"text(${venus})text\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\nconst KernelSource& kernel_source(std::string_view name) {\n  for (const KernelSource& source : sources) {\n    if (source.name == name) return source;\n  }\n  throw Error(\"there is no RISC-V kernel \" + std::string(name));\n}\n\n}  // namespace nnrun::exporters\n")
file(WRITE ${OUTPUT} "${text}")
