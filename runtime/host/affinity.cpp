//===- affinity.cpp - Which processors threads run on --------------------------===//

#include "runtime/host/affinity.h"
#include "runtime/core/message.h"

#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#endif

namespace sinter::host {

#if defined(__linux__)

namespace {

cpu_set_t only(uint32_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return set;
}

bool run_on(const cpu_set_t &set) { return sched_setaffinity(0, sizeof(set), &set) == 0; }

} // namespace

uint32_t usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
    return static_cast<uint32_t>(CPU_COUNT(&set));
  return 1;
}

sinter_status affinity::pin(const uint32_t *cpus, size_t count, sinter_error *error) {
  if (sched_getaffinity(0, sizeof(before), &before) != 0)
    return core::fail(error, SINTER_UNSUPPORTED, "this system does not say where threads may run");
  pinned = true;
  // A thread may leave the processors it is on for others, so the way to know is to go there.
  for (size_t i = count; i-- != 0;) {
    if (cpus[i] < CPU_SETSIZE && run_on(only(cpus[i])))
      continue;
    restore();
    core::message text(error, SINTER_INVALID_ARGUMENT);
    text << "processor " << cpus[i] << " is none that this process may use; the thread runs on";
    for (uint32_t cpu = 0, listed = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &before))
        text << (listed++ ? ", " : " ") << cpu;
    return SINTER_INVALID_ARGUMENT;
  }
  return SINTER_OK;
}

void affinity::restore() {
  if (pinned)
    run_on(before);
  pinned = false;
}

void place_thread(pthread_attr_t &attributes, uint32_t cpu) {
  cpu_set_t set = only(cpu);
  pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
}

#else

uint32_t usable_processors() {
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<uint32_t>(online) : 1;
}

sinter_status affinity::pin(const uint32_t *, size_t, sinter_error *error) {
  return core::fail(error, SINTER_UNSUPPORTED,
                    "this system does not let threads choose their processors");
}

void affinity::restore() {}
void place_thread(pthread_attr_t &, uint32_t) {}

#endif

} // namespace sinter::host
