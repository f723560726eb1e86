//===- ExecOps.td - Buffers, programs and the memory plan -----------------===//
#ifndef SINTER_DIALECTS_EXEC_OPS_TD
#define SINTER_DIALECTS_EXEC_OPS_TD

include "dialects/exec/ExecAttrs.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

class Exec_Op<string mnemonic, list<Trait> traits = []> : Op<ExecDialect, mnemonic, traits>;

// ---- Buffers ----------------------------------------------------------------------------------------------------

def BufferOp : Exec_Op<"buffer", [Symbol, IsolatedFromAbove, SingleBlock,
                                  DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "bytes with a name";
  let description = [{
    * `constant`: in the bundle's weights; the region is its recipe, evaluated when the bundle is written.
    * `state`: in the session's memory, kept between steps: KV caches, hidden states, ports, the step's scalars.
    * `transient`: in the arena, alive inside one run of one program.

    `bytes` is what kernels may touch, without alignment and read margin. `at` is the place of a constant in the weights
    segment (a multiple of 256, given by plan-memory); the other kinds get theirs in exec.memory_plan.

        exec.buffer state @kv.0.keys bytes 2097152 role kv_cache
        exec.buffer transient @decode.0 in @decode bytes 2816
        exec.buffer constant @blk.0.ffn_down bytes 9437184 at 4096 {
          %0 = llm.weight "blk.0.ffn_down.weight" : !llm.weight<2048x8192, q4_0>
          %1 = llm.pack %0 : ...
          exec.constant_yield %1 : !llm.packed<2048x8192, q4_0>
        }

    Verified: a recipe on constants and only there; the recipe's type needs exactly `bytes`; a program on transients and
    only there; a role on states only; at least 16 bytes in a step buffer.
  }];
  let arguments = (ins Exec_BufferKindAttr:$kind, SymbolNameAttr:$sym_name, OptionalAttr<FlatSymbolRefAttr>:$program,
    I64Attr:$bytes, OptionalAttr<Exec_BufferRoleAttr>:$role, OptionalAttr<I64Attr>:$offset);
  let regions = (region AnyRegion:$recipe);
  let assemblyFormat = [{
    `` $kind $sym_name (`in` $program^)? `bytes` $bytes (`role` `` $role^)? (`at` $offset^)?
    attr-dict-with-keyword ($recipe^)?
  }];
  let builders = [
    OpBuilder<(ins "BufferKind":$kind, "::llvm::StringRef":$name, "int64_t":$bytes,
               CArg<"::llvm::StringRef", "{}">:$program)>];
  let extraClassDeclaration = [{
    bool isConstant() { return getKind() == BufferKind::Constant; }
    bool isState() { return getKind() == BufferKind::State; }
    bool isTransient() { return getKind() == BufferKind::Transient; }
    /// The value that a constant's bytes are made of.
    ::mlir::Value getConstantValue();
  }];
  let hasVerifier = 1;
}

def ConstantYieldOp : Exec_Op<"constant_yield", [Terminator, HasParent<"BufferOp">]> {
  let summary = "ends a recipe: the constant's value";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

// ---- Programs ---------------------------------------------------------------------------------------------------

def ProgramOp : Exec_Op<"program", [Symbol, IsolatedFromAbove, SingleBlock, NoTerminator, NoRegionArguments,
                                    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a static list of groups, run in order";
  let description = [{
    `max_tokens` is the largest token count of a run. Ports are the state buffers that the caller fills or reads.

        exec.program @decode max_tokens 1 ports [tokens @tokens, logits @logits] {
          exec.group { ... }
        }

    Verified: only groups inside; ports name state buffers that are large enough, each role once.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$max_tokens, Exec_PortArrayAttr:$ports);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `max_tokens` $max_tokens `ports` custom<Ports>($ports) attr-dict-with-keyword $body
  }];
  let builders = [
    OpBuilder<(ins "::llvm::StringRef":$name, "int64_t":$maxTokens, "::llvm::ArrayRef<PortAttr>":$ports)>];
  let hasVerifier = 1;
}

def GroupOp : Exec_Op<"group", [SingleBlock, NoTerminator, NoRegionArguments, HasParent<"ProgramOp">,
                                DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "dispatches whose tiles are drawn as one range; a barrier stands between groups";
  let description = [{
    Verified: only dispatches inside, at least one; none touches bytes that another one writes.
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let builders = [OpBuilder<(ins)>];
  let skipDefaultBuilders = 1;
  let hasVerifier = 1;
}

def DispatchOp : Exec_Op<"dispatch", [HasParent<"GroupOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "one run of a kernel over its tiles";
  let description = [{
    `kernel` is a symbol in each of the target's nested variant modules. Bindings are in the order of the kernel's
    signature. `source` names the layer that it computes, for profiles.

        exec.dispatch @linear_q4_0_i8_glu(read @blk.0.ffn_gate, read @blk.0.ffn_up, read @x, write @h)
          tiles<256 per 8 tokens> source "blk.0.ffn_up"

    Verified: every variant has the kernel, with as many bindings; buffers exist and hold the range (for an indirect
    binding, up to the last index); constants are only read; transients belong to this program; offsets and strides are
    multiples of the kernel ABI's 64 bytes; `over` stands on writes and names bindings that are read.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Exec_BindingArrayAttr:$bindings, Exec_TilesAttr:$tiles,
    OptionalAttr<StrAttr>:$source);
  let assemblyFormat = [{
    $kernel `` custom<Bindings>($bindings) `tiles` `` $tiles (`source` $source^)? attr-dict
  }];
  let builders = [
    OpBuilder<(ins "::llvm::StringRef":$kernel, "::llvm::ArrayRef<BindingAttr>":$bindings, "TilesAttr":$tiles,
               "::llvm::StringRef":$source)>];
  let extraClassDeclaration = [{
    auto getBindingList() { return getBindings().getAsRange<BindingAttr>(); }
    BindingAttr getBinding(size_t i) { return ::llvm::cast<BindingAttr>(getBindings()[i]); }
  }];
  let hasVerifier = 1;
}

// ---- The memory plan --------------------------------------------------------------------------------------------

def MemoryPlanOp : Exec_Op<"memory_plan", [SingleBlock, NoTerminator, NoRegionArguments, IsolatedFromAbove]> {
  let summary = "the session's memory: intervals in, offsets out";
  let description = [{
    [0, state) states, [state, fixed) the arena and the read margin, then `scratch` bytes for each worker. `kv` is the
    KV cache's share of the states. Without the sizes the plan is not made yet.

        exec.memory_plan state 4352 kv 4096 fixed 12800 scratch 64 {
          exec.interval @kv.0.keys bytes 4096 at 256
          exec.interval @h bytes 8192 in @decode live[0, 3] over [@x] at 4352
        }

    Verified: only intervals inside, each buffer once; sizes or none. Whether the plan is right says verify-plan.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$state_bytes, OptionalAttr<I64Attr>:$kv_bytes,
    OptionalAttr<I64Attr>:$fixed_bytes, OptionalAttr<I64Attr>:$scratch_bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`state` $state_bytes^ `kv` $kv_bytes `fixed` $fixed_bytes `scratch` $scratch_bytes)? attr-dict-with-keyword $body
  }];
  let builders = [OpBuilder<(ins)>];
  let extraClassDeclaration = [{
    bool isPlanned() { return getFixedBytes().has_value(); }
  }];
  let hasVerifier = 1;
}

def IntervalOp : Exec_Op<"interval", [HasParent<"MemoryPlanOp">]> {
  let summary = "how long a buffer lives, and where";
  let description = [{
    A state lives always. A transient lives from group `first` to group `last` of its program, both included. `over` are
    buffers whose place it may take because its first writer is their last reader and says that this is legal. `at` is the
    offset in the session's memory.
  }];
  let arguments = (ins FlatSymbolRefAttr:$buffer, I64Attr:$bytes, OptionalAttr<FlatSymbolRefAttr>:$program,
    OptionalAttr<I64Attr>:$first, OptionalAttr<I64Attr>:$last,
    OptionalAttr<TypedArrayAttrBase<FlatSymbolRefAttr, "array of buffers">>:$over, OptionalAttr<I64Attr>:$offset);
  let assemblyFormat = [{
    $buffer `bytes` $bytes (`in` $program^ `live` `` `[` $first `,` $last `]`)? (`over` $over^)? (`at` $offset^)? attr-dict
  }];
  let hasVerifier = 1;
}

#endif
