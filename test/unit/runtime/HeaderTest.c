/*===- HeaderTest.c - sinter.h is C ---------------------------------------------===*\
|*
|* Compiled as C11 with all warnings: the header, and the calls as an app in C would
|* write them.
|*
\*===----------------------------------------------------------------------===*/

#include "sinter/sinter.h"

int sinter_header_is_c(void);

/** Opens a file that is not there; returns the status. */
int sinter_header_is_c(void) {
  sinter_open_options options = {0};
  options.struct_bytes = sizeof(options);
  sinter_model *model = NULL;
  sinter_error error = {SINTER_OK, {0}};
  sinter_status status = sinter_open("/nonexistent", &options, &model, &error);
  sinter_close(model);
  return (int)status;
}
