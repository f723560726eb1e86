//===- Families.h - The model families that can be imported ---------------===//
//
// A family is a function that draws its layers with a DecoderBuilder. New families get a file of
// their own and a line in the table in Importer.cpp.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_IMPORT_FAMILIES_H
#define SINTER_COMPILER_IMPORT_FAMILIES_H

namespace sinter {

class DecoderBuilder;

void importLlama(DecoderBuilder &builder);
void importQwen2(DecoderBuilder &builder);

} // namespace sinter

#endif
