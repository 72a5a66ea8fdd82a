/* A plugin of qemu's translator (TCG): how often each instruction of a program ran.
 *
 *   qemu-riscv64 -plugin libnnrun_instruction_counts.so,to=COUNTS PROGRAM
 *
 * writes COUNTS when the program ends: a 64-bit number for every two bytes of code from 0x20000 on, where our programs are linked to.
 * Instructions are counted by additions that become part of the translated code: no call for each of them.
 *
 * Debian's qemu has no header for its plugins, so what is needed of it is declared here (qemu-plugin.h, API version 1, GPLv2 or later). */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum {
  QEMU_PLUGIN_INLINE_ADD_U64 = 0
};
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb*));
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void*), void* data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* tb);
extern struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* tb, size_t index);
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

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); ++i) {
    struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(tb, i);
    const uint64_t place = (qemu_plugin_insn_vaddr(instruction) - code_begin) / 2;
    if (place < places) qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, &counts[place], 1);
  }
}

static void ended(qemu_plugin_id_t id, void* data) {
  (void)id;
  (void)data;
  FILE* file = fopen(path, "wb");
  if (file == NULL) return;
  fwrite(counts, sizeof counts[0], places, file);
  fclose(file);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv);
int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "to=", 3) != 0 || strlen(argv[0]) >= sizeof path) {
    fprintf(stderr, "instruction counts: expected to=PATH\n");
    return 1;
  }
  strcpy(path, argv[0] + 3);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
