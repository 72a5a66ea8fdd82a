// Nets as programs and data for elsewhere.
#include "exporters.hpp"

using namespace nnrun::exporters;

NNRUN_PLUGIN("exporters", "1.0.0", C99, RiscvAssembly, RiscvElf, Venus, Npz)
