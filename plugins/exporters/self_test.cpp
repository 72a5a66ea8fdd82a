#include "self_test.hpp"

namespace nnrun::exporters {

namespace {

// put_character(a0) and end(a0).
constexpr const char* venus_shim = R"(
put_character:
  mv a1, a0
  li a0, 11
  ecall
  ret
end:
  mv a1, a0
  li a0, 17
  ecall
)";

constexpr const char* virt_shim = R"(
## The serial port takes a byte at 0x10000000.
put_character:
  li t0, 0x10000000
  sb a0, 0(t0)
  ret
## The test device at 0x100000 ends the machine: 0x5555 is success, (code << 16) + 0x3333 failure.
end:
  li t0, 0x100000
  li t1, 0x5555
  beqz a0, end_now
  slli t1, a0, 16
  li t2, 0x3333
  add t1, t1, t2
end_now:
  sw t1, 0(t0)
  j end_now
## Who calls a function of this program from outside comes back here.
  .globl kernel_end
  .type kernel_end, @function
kernel_end:
  j kernel_end
  .size kernel_end, .-kernel_end
)";

constexpr const char* test = R"(
  addi sp, sp, -32
  la s0, @NAME@_golden_inputs
  la s1, @NAME@_golden_outputs
  li s2, 0
  li s3, 0
test_vector:
  mv a0, s0
  la a1, @NAME@_golden_result
  jal ra, @NAME@_run
  la t0, @NAME@_golden_result
  li t1, @OUTPUTS@
  li t2, 1
test_output:
  lw t3, 0(t0)
  lw t4, 0(s1)
  beq t3, t4, test_same
  li t2, 0
test_same:
  addi t0, t0, 4
  addi s1, s1, 4
  addi t1, t1, -1
  bnez t1, test_output
  add s3, s3, t2
  li t0, @ROW@
  add s0, s0, t0
  addi s2, s2, 1
  li t0, @GOLDEN@
  bne s2, t0, test_vector
  mv a0, s3
  jal ra, put_number
@OF@  mv a0, s2
  jal ra, put_number
@VECTORS@  sub a0, s2, s3
  beqz a0, end
  li a0, 1
  j end

## Decimal digits of a0: the last ones first, onto the stack.
put_number:
  addi sp, sp, -32
  sw ra, 28(sp)
  sw s4, 24(sp)
  sw s5, 20(sp)
  addi s4, sp, 0
  mv s5, a0
  li t0, 10
put_number_divide:
  remu t1, s5, t0
  addi t1, t1, 48
  sb t1, 0(s4)
  addi s4, s4, 1
  divu s5, s5, t0
  bnez s5, put_number_divide
put_number_digit:
  addi s4, s4, -1
  lbu a0, 0(s4)
  jal ra, put_character
  bne s4, sp, put_number_digit
  lw s5, 20(sp)
  lw s4, 24(sp)
  lw ra, 28(sp)
  addi sp, sp, 32
  ret
)";

std::string put(const std::string& words) {
  std::string text;
  for (const char c : words) text += "  li a0, " + std::to_string(int{c}) + "\n  jal ra, put_character\n";
  return text;
}

}  // namespace

std::string self_test_assembly(const Net& net, const std::string& name, Dialect dialect) {
  const std::int64_t row = (net.inputs * bytes_of(net.input) + 3) / 4 * 4;
  std::string text = test;
  for (const auto& [hole, word] : {std::pair<std::string, std::string>{"@NAME@", name},
                                   {"@OUTPUTS@", std::to_string(net.outputs)},
                                   {"@ROW@", std::to_string(row)},
                                   {"@GOLDEN@", std::to_string(net.golden)},
                                   {"@OF@", put(" of ")},
                                   {"@VECTORS@", put(" golden vectors\n")}}) {
    for (std::size_t at = text.find(hole); at != std::string::npos; at = text.find(hole)) text.replace(at, hole.size(), word);
  }
  std::string program = "## Runs the golden vectors, and says how many came out right.\n";
  const std::vector<std::int32_t> result(static_cast<std::size_t>(net.outputs));
  if (dialect == Dialect::venus) {
    program += "  .text\n  .globl main\nmain:" + text + venus_shim + "\n  .data\n";
    words(program, name + "_golden_result", result.data(), result.size() * 4);
    return program + "\n";
  }
  program += "  .section .text.start, \"ax\"\n  .globl _start\n_start:\n  la sp, stack_top" + text + virt_shim +
             "\n  .bss\n  .balign 16\n" + name + "_golden_result:\n  .zero " + std::to_string(net.outputs * 4) +
             "\n  .balign 16\n  .zero 1024\nstack_top:\n";
  return program;
}

std::string linker_script() {
  return "ENTRY(_start)\n"
         "MEMORY { ram (rwx) : ORIGIN = 0x80000000, LENGTH = 128M }\n"
         "SECTIONS {\n"
         "  .text : { *(.text.start) *(.text*) } > ram\n"
         "  .rodata : { *(.rodata*) } > ram\n"
         "  .data : { *(.data*) } > ram\n"
         "  .bss : { *(.bss*) } > ram\n"
         "}\n";
}

}  // namespace nnrun::exporters
