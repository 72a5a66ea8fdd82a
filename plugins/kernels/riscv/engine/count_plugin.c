/* A plugin of qemu's translator (TCG): how often each instruction of a program ran, or how many there were of each kind.
 *
 *   qemu-riscv32 -plugin libnnrun_instruction_counts.so PROGRAM
 *
 * says at the end, on standard error, how many instructions ran, and of which kinds.
 *
 *   qemu-riscv64 -plugin libnnrun_instruction_counts.so,to=COUNTS PROGRAM
 *
 * writes COUNTS instead: a 64-bit number for every two bytes of code from 0x20000 on, where our programs are linked to.
 * Instructions are counted by additions that become part of the translated code: no call for each of them.
 *
 * Debian's qemu has no header for its plugins, so what is needed of it is declared here (qemu-plugin.h, API version 1, GPLv2 or later). */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_info_t {
  const char* target_name; /* there is more behind it */
};
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum {
  QEMU_PLUGIN_INLINE_ADD_U64 = 0
};
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb*));
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void*), void* data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* tb);
extern struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* tb, size_t index);
extern const void* qemu_plugin_insn_data(const struct qemu_plugin_insn* instruction);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn* instruction);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* instruction);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn* instruction, int operation, void* to, uint64_t value);

#define EXPORT __attribute__((visibility("default")))
EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_version = 1;

enum {
  code_begin = 0x20000,
  places = 1 << 17
};
static uint64_t counts[places];
static char path[4096];

enum kind {
  ARITHMETIC,
  MULTIPLY,
  LOAD,
  STORE,
  BRANCH,
  JUMP,
  SYSTEM,
  KINDS
};
static const char* const names[KINDS] = {"arithmetic", "multiply", "load", "store", "branch", "jump", "system"};
static uint64_t mix[KINDS];
static int is_rv32;

/* The tables of the instruction set manual, chapter "RV32/64G Instruction Set Listings"; vectors: chapter "Vector Instruction Listing".
 * Multiplications are divisions too. */
static enum kind kind_of_vector(uint32_t code) {
  const uint32_t form = code >> 12 & 7, operation = code >> 26;
  if (form == 0 || form == 4) return operation == 0x27 ? MULTIPLY : ARITHMETIC; /* vsmul */
  if (form != 2 && form != 6) return ARITHMETIC;
  if (operation >= 0x20 && operation <= 0x27) return MULTIPLY; /* vdiv, vrem, vmul, vmulh */
  const int accumulates = operation == 0x29 || operation == 0x2b || operation == 0x2d || operation == 0x2f;
  return accumulates || operation >= 0x38 ? MULTIPLY : ARITHMETIC; /* vmacc and so on; vwmul, vwmacc */
}

static enum kind kind_of_word(uint32_t code) {
  switch (code >> 2 & 31) {
    case 0x00:              /* integers */
    case 0x01: return LOAD; /* floats and vectors */
    case 0x08:
    case 0x09: return STORE;
    case 0x0c:
    case 0x0e: return code >> 25 == 1 ? MULTIPLY : ARITHMETIC;
    case 0x15: return kind_of_vector(code);
    case 0x18: return BRANCH;
    case 0x19:
    case 0x1b: return JUMP;
    case 0x03: /* fence */
    case 0x1c: return SYSTEM;
    default: return ARITHMETIC;
  }
}

/* Compressed: chapter "RVC Instruction Set Listings". */
static enum kind kind_of_half(uint32_t code) {
  const uint32_t function = code >> 13 & 7, second = code >> 2 & 31, first = code >> 7 & 31;
  switch (code & 3) {
    case 0: return function == 0 || function == 4 ? ARITHMETIC : function < 4 ? LOAD : STORE;
    case 1: return function == 5 || (function == 1 && is_rv32) ? JUMP : function >= 6 ? BRANCH : ARITHMETIC;
    default:
      if (function == 4) return second != 0 ? ARITHMETIC : first == 0 ? SYSTEM : JUMP; /* c.mv, c.add; c.ebreak; c.jr, c.jalr */
      return function == 0 ? ARITHMETIC : function < 4 ? LOAD : STORE;
  }
}

static enum kind kind_of(const struct qemu_plugin_insn* instruction) {
  uint16_t low = 0;
  uint32_t code = 0;
  memcpy(&low, qemu_plugin_insn_data(instruction), sizeof low);
  if (qemu_plugin_insn_size(instruction) == sizeof low) return kind_of_half(low);
  memcpy(&code, qemu_plugin_insn_data(instruction), sizeof code);
  return kind_of_word(code);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); ++i) {
    struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(tb, i);
    if (path[0] == '\0') {
      qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, &mix[kind_of(instruction)], 1);
      continue;
    }
    const uint64_t place = (qemu_plugin_insn_vaddr(instruction) - code_begin) / 2;
    if (place < places) qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, &counts[place], 1);
  }
}

static void say_mix(void) {
  uint64_t all = 0;
  for (int i = 0; i < KINDS; ++i) all += mix[i];
  fprintf(stderr, "%" PRIu64 " instructions\n", all);
  for (int i = 0; i < KINDS; ++i)
    fprintf(stderr, "  %-10s %12" PRIu64 "  %5.1f %%\n", names[i], mix[i], all == 0 ? 0 : 100.0 * (double)mix[i] / (double)all);
}

static void ended(qemu_plugin_id_t id, void* data) {
  (void)id;
  (void)data;
  if (path[0] == '\0') {
    say_mix();
    return;
  }
  FILE* file = fopen(path, "wb");
  if (file == NULL) return;
  fwrite(counts, sizeof counts[0], places, file);
  fclose(file);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t* info, int argc, char** argv);
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t* info, int argc, char** argv) {
  is_rv32 = strcmp(info->target_name, "riscv32") == 0;
  if (argc > 1 || (argc == 1 && (strncmp(argv[0], "to=", 3) != 0 || argv[0][3] == '\0' || strlen(argv[0]) >= sizeof path))) {
    fprintf(stderr, "instruction counts: expected nothing, or to=PATH\n");
    return 1;
  }
  if (argc == 1) strcpy(path, argv[0] + 3);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
