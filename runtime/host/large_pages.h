//===- large_pages.h - Large pages for memory that is in use -------------------===//
#ifndef RUNTIME_HOST_LARGE_PAGES_H
#define RUNTIME_HOST_LARGE_PAGES_H

#include "runtime/host/mapping.h"

namespace sinter::host {

/// Where nearly all of a 2 MiB piece of `memory` is resident (15 of 16 bytes), it becomes one page;
/// what lies there stays. Takes about 0.5 ms for a piece that is not one yet. Others are left alone:
/// memory that nobody has used would become resident with a large page. Nothing happens where the
/// system has no such pages (Linux has them on request since 6.1). False: it is of no use to ask
/// again.
bool enlarge_pages(const mapping &memory);

} // namespace sinter::host

#endif
