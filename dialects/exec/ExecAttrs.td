//===- ExecAttrs.td - Bindings, tile counts, ports, targets ---------------===//
#ifndef SINTER_DIALECTS_EXEC_ATTRS_TD
#define SINTER_DIALECTS_EXEC_ATTRS_TD

include "dialects/exec/ExecDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class Exec_Attr<string name, string attrMnemonic> : AttrDef<ExecDialect, name> {
  let mnemonic = attrMnemonic;
}

class Exec_Enum<string name, string text, list<I32EnumAttrCase> cases> : I32EnumAttr<name, text, cases> {
  let cppNamespace = "::sinter::exec";
  let genSpecializedAttr = 0;
}

// ---- Enumerations ---------------------------------------------------------------------------------------------

def Exec_BufferKind : Exec_Enum<"BufferKind", "where a buffer lives and how long", [
  I32EnumAttrCase<"Constant", 0, "constant">,
  I32EnumAttrCase<"State", 1, "state">,
  I32EnumAttrCase<"Transient", 2, "transient">]>;
def Exec_BufferKindAttr : EnumAttr<ExecDialect, Exec_BufferKind, "kind">;

def Exec_BufferRole : Exec_Enum<"BufferRole", "what the runtime knows about a state buffer", [
  I32EnumAttrCase<"KVCache", 0, "kv_cache">,
  I32EnumAttrCase<"Step", 1, "step">]>;
def Exec_BufferRoleAttr : EnumAttr<ExecDialect, Exec_BufferRole, "role">;

def Exec_Access : Exec_Enum<"Access", "what a dispatch does to a binding", [
  I32EnumAttrCase<"Read", 0, "read">,
  I32EnumAttrCase<"Write", 1, "write">,
  I32EnumAttrCase<"Update", 2, "update">]>;

def Exec_PortRole : Exec_Enum<"PortRole", "what the caller of a program puts in or takes out", [
  I32EnumAttrCase<"Tokens", 0, "tokens">,
  I32EnumAttrCase<"Targets", 1, "targets">,
  I32EnumAttrCase<"Logits", 2, "logits">,
  I32EnumAttrCase<"Scores", 3, "scores">]>;

def Exec_Activations : Exec_Enum<"Activations", "activation type of linear layers with integer weights", [
  I32EnumAttrCase<"F32", 0, "f32">,
  I32EnumAttrCase<"I8", 1, "i8">]>;

// ---- What a dispatch is made of ---------------------------------------------------------------------------------

def Exec_IndirectAttr : Exec_Attr<"Indirect", "indirect"> {
  let summary = "the binding's base is moved by an index that is in memory when the dispatch starts";
  let description = [{
    base + index * stride, where index is u32 number `element` of buffer `index`; the runtime refuses an index that is
    not below `limit`. `@step[2]` is the last token of the step (numbers of the step buffer: tokens, position,
    tokens - 1, 0).

        (@step[2] * 8192 below 256)
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$index, "int64_t":$element, "int64_t":$stride, "int64_t":$limit);
  let hasCustomAssemblyFormat = 1;
}

def Exec_BindingAttr : Exec_Attr<"Binding", "binding"> {
  let summary = "one operand of a dispatch: a range of a buffer and what happens to it";
  let description = [{
    `read`; `write`: all that later readers read is written, what was there before is dead; `update`: written, and what
    is not written keeps its value (KV caches), so that the buffer is live before as well.

    `offset` and `size` are in bytes; without them the whole buffer is meant. With `at (...)` (see #exec.indirect) size is
    what the kernel may touch from the moved base on. `over [i, ...]` after a write says that the kernel is right when
    the result takes the place of binding i; the planner does that where it is the last use of that buffer.

        read @acts
        read @hidden offset 0 size 8192 at (@step[2] * 8192 below 256)
        write @sum over [0, 1]
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$buffer, "::sinter::exec::Access":$access, "int64_t":$offset,
    OptionalParameter<"int64_t", "-1">:$size, OptionalParameter<"::sinter::exec::IndirectAttr">:$indirect,
    OptionalArrayRefParameter<"int64_t">:$over);
  let builders = [
    AttrBuilder<(ins "::llvm::StringRef":$buffer, "::sinter::exec::Access":$access,
                 CArg<"::llvm::ArrayRef<int64_t>", "{}">:$over), [{
      return $_get($_ctxt, ::mlir::FlatSymbolRefAttr::get($_ctxt, buffer), access, 0, -1, IndirectAttr(), over);
    }]>];
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool isWritten() const { return getAccess() != Access::Read; }
    bool isRead() const { return getAccess() != Access::Write; }
    /// Bytes that the kernel may touch from the (moved) base on, in a buffer of `bufferBytes`.
    int64_t sizeIn(int64_t bufferBytes) const { return getSize() < 0 ? bufferBytes - getOffset() : getSize(); }
  }];
}
def Exec_BindingArrayAttr : TypedArrayAttrBase<Exec_BindingAttr, "array of bindings">;

def Exec_TilesAttr : Exec_Attr<"Tiles", "tiles"> {
  let summary = "how many tiles a dispatch has, as an expression in the step's scalars";
  let description = [{
    constant * ceil(tokens / token_step) * ceil((position + tokens) / length_step); a step of 0 leaves its factor out.

        <256>    <256 per 8 tokens>    <8 per 4 tokens per 32 positions>
  }];
  let parameters = (ins "int64_t":$constant, DefaultValuedParameter<"int64_t", "0">:$tokenStep,
    DefaultValuedParameter<"int64_t", "0">:$lengthStep);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Exec_PortAttr : Exec_Attr<"Port", "port"> {
  let summary = "a state buffer that the caller of a program fills or reads";
  let parameters = (ins "::sinter::exec::PortRole":$role, "::mlir::FlatSymbolRefAttr":$buffer);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool isInput() const { return getRole() == PortRole::Tokens || getRole() == PortRole::Targets; }
  }];
}
def Exec_PortArrayAttr : TypedArrayAttrBase<Exec_PortAttr, "array of ports">;

// ---- Targets ------------------------------------------------------------------------------------------------------

def Exec_VariantAttr : Exec_Attr<"Variant", "variant"> {
  let summary = "one instruction set level of a target: its name and the CPU features it needs";
  let description = [{
    Feature names are those of runtime/host/cpu_features. No features: runs on every CPU of the architecture.

        <"avx512vnni" needs ["avx512f", "avx512vnni"]>    <"neon">
  }];
  let parameters = (ins "::mlir::StringAttr":$name, OptionalArrayRefParameter<"::mlir::StringAttr">:$features);
  let hasCustomAssemblyFormat = 1;
}

def Exec_TargetAttr : Exec_Attr<"Target", "target"> {
  let summary = "what a target's module is compiled for; the attribute exec.target of the module";
  let description = [{
    Variants share weights, activation type, programs and plan; best first, because the runtime takes the first that
    fits. A nested module of the same name holds each one's kernels.

        #exec.target<"x86-64", activations = i8, variants = [<"avx2" needs ["avx2", "fma", "f16c"]>]>
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "::sinter::exec::Activations":$activations,
    ArrayRefParameter<"::sinter::exec::VariantAttr">:$variants);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif
