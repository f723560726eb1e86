/* A plugin for qemu's user mode that prints how many instructions the guest has executed.
 *
 *   cc -shared -fPIC -O2 count_instructions.c -o count.so
 *   qemu-aarch64 -plugin ./count.so -d plugin PROGRAM...      the last line: "instructions: N"
 *
 * Distributions ship qemu without its qemu-plugin.h. The five functions used here are declared as the documentation of
 * the plugin interface, version 1, has them (qemu 4.2 to 8.2). */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t plugin;
struct block; /* what qemu translates at a time: instructions up to a jump */

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin, void (*translated)(plugin, struct block *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int operation, void *counter, uint64_t amount);
extern void qemu_plugin_register_atexit_cb(plugin, void (*ended)(plugin, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern void qemu_plugin_outs(const char *text);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { add_to_counter = 0 };
static uint64_t instructions;

/* Counted inline when the block runs: exact with one thread. */
static void block_translated(plugin self, struct block *block) {
  (void)self;
  qemu_plugin_register_vcpu_tb_exec_inline(block, add_to_counter, &instructions, qemu_plugin_tb_n_insns(block));
}

static void program_ended(plugin self, void *unused) {
  char line[64];
  (void)self, (void)unused;
  snprintf(line, sizeof line, "instructions: %llu\n", (unsigned long long)instructions);
  qemu_plugin_outs(line);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin self, const void *info, int argc, char **argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(self, block_translated);
  qemu_plugin_register_atexit_cb(self, program_ended, NULL);
  return 0;
}
