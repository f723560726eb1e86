//===- LLMTypes.td - Weights, packed weights, activations -----------------===//
#ifndef SINTER_DIALECTS_LLM_TYPES_TD
#define SINTER_DIALECTS_LLM_TYPES_TD

include "dialects/llm/LLMDialect.td"
include "mlir/IR/AttrTypeBase.td"

class LLM_Type<string name, string typeMnemonic> : TypeDef<LLM_Dialect, name> {
  let mnemonic = typeMnemonic;
}

class LLM_MatrixType<string name, string typeMnemonic> : LLM_Type<name, typeMnemonic> {
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "::sinter::FormatId":$formatId);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    const ::sinter::Format &getFormat() const { return ::sinter::Format::get(getFormatId()); }
  }];
}

def LLM_WeightType : LLM_MatrixType<"Weight", "weight"> {
  let summary = "a weight matrix in a format of the GGUF";
  let description = [{
    `!llm.weight<8192x2048, q4_0>`: rows (outputs) x columns (inputs) in a format of
    `compiler/weights/Format.h`. A quantized tensor stays a type until code is emitted. Rows are whole
    blocks: the columns of an integer format are a multiple of its super-block.
  }];
}

def LLM_PackedType : LLM_MatrixType<"Packed", "packed"> {
  let summary = "a weight matrix packed in tiles of 32 rows";
  let description = [{
    `!llm.packed<8192x2048, q4_0>`: the same values in the layout that kernels read (`PackedLayout`).
  }];
}

def LLM_ActsType : LLM_Type<"Acts", "acts"> {
  let summary = "activations quantized to 8 bits in groups of 32";
  let description = [{
    `!llm.acts<?x2048, i8 per 32>`: tokens x width. Each group of 32 elements of a token has codes in
    -127 .. 127, a scale (f32) and the sums that kernels of unsigned codes need. The width is a multiple of 32.
  }];
  let parameters = (ins "int64_t":$tokens, "int64_t":$width);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The quantized form of tensor<tokens x width x f32>; the width is a multiple of 32.
    static ActsType getFor(::mlir::RankedTensorType type);
    /// The tensor of the same shape.
    ::mlir::RankedTensorType getTensorType() const;
  }];
}

def LLM_AppendedType : LLM_Type<"Appended", "appended"> {
  let summary = "token: a step's rows were appended to a KV cache";
  let description = [{Orders `llm.attention` after the appends that it reads.}];
}

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

def LLM_Weight : Type<CPred<"::llvm::isa<::sinter::llm::WeightType>($_self)">, "weight matrix",
                      "::sinter::llm::WeightType">;
def LLM_Packed : Type<CPred<"::llvm::isa<::sinter::llm::PackedType>($_self)">, "packed weight matrix",
                      "::sinter::llm::PackedType">;
def LLM_Acts : Type<CPred<"::llvm::isa<::sinter::llm::ActsType>($_self)">, "quantized activations",
                    "::sinter::llm::ActsType">;
def LLM_Appended : Type<CPred<"::llvm::isa<::sinter::llm::AppendedType>($_self)">, "append token",
                        "::sinter::llm::AppendedType">, BuildableType<"$_builder.getType<::sinter::llm::AppendedType>()">;

/// tensor<?xdxf32> or tensor<1xdxf32>: one row a token.
def LLM_Rows : Type<And<[CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getRank() == 2">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getElementType().isF32()">,
    CPred<"!::llvm::cast<::mlir::RankedTensorType>($_self).isDynamicDim(1)">]>,
  "tokens x width tensor of f32", "::mlir::RankedTensorType">;

/// tensor<dxf32>: the same for all tokens.
def LLM_Vector : Type<And<[CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getRank() == 1">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getElementType().isF32()">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).hasStaticShape()">]>,
  "vector of f32", "::mlir::RankedTensorType">;

/// tensor<Nx2cxf32>: (cos, sin) pairs a position.
def LLM_Table : Type<And<[LLM_Rows.predicate,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).hasStaticShape()">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getDimSize(1) % 2 == 0">]>,
  "table of (cos, sin) pairs", "::mlir::RankedTensorType">;

/// tensor<?xi32>: token ids.
def LLM_Tokens : Type<And<[CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getRank() == 1">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getElementType().isSignlessInteger(32)">]>,
  "tensor of i32 token ids", "::mlir::RankedTensorType">;

/// tensor<?xf32>: one number a token.
def LLM_Scores : Type<And<[CPred<"::llvm::isa<::mlir::RankedTensorType>($_self)">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getRank() == 1">,
    CPred<"::llvm::cast<::mlir::RankedTensorType>($_self).getElementType().isF32()">]>,
  "one f32 a token", "::mlir::RankedTensorType">;

def LLM_AnyWeight : AnyTypeOf<[LLM_Weight, LLM_Packed], "weight matrix, packed or not">;
def LLM_AnyActs : AnyTypeOf<[LLM_Rows, LLM_Acts], "tokens x width activations">;

#endif
