//===- TileOps.td - Kernels, memory and lanes ------------------------------===//
#ifndef SINTER_DIALECTS_TILE_OPS_TD
#define SINTER_DIALECTS_TILE_OPS_TD

include "dialects/tile/TileDialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

def Tile_Binding : AnyTypeOf<[Tile_PackedType, Tile_RowsType, Tile_ActsType, Tile_BytesType], "binding">;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

def Tile_KernelOp : Tile_Op<"kernel", [IsolatedFromAbove, Symbol, SingleBlock, NoTerminator,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "computes one tile of a dispatch";
  let description = [{
    The block's arguments are the bindings, in the order of the dispatch, then `%scratch` (!tile.bytes), then
    `%tile`, `%tokens` and `%position` (index). The body is run for each tile of the dispatch, in any order and
    on any worker; it may read and write its bindings as the plan allows, and its scratch.

    `tokens` is the token count of its largest register block; `scratch` the bytes a worker needs; `contract` says,
    for a reader of the assembly, how the kernel's weights are laid out.

    Where `tile.for_tiles` says which tile is computed, `%tile` is not used, and a target may run the body once for up to
    `strip` neighbouring tiles: what stands outside is done once for all of them. The tiles of a strip that are `apart` are as
    far from one another as the tiles of a call go: of tiles 8 .. 15 a strip of 4 has 8, 10, 12, 14. Those of a strip `within` N
    have the same quotient by N, and `%tile` may be used outside: it is one of them.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$tokens, DefaultValuedAttr<I64Attr, "0">:$scratch,
                       DefaultValuedAttr<I64Attr, "1">:$strip, UnitAttr:$apart, DefaultValuedAttr<I64Attr, "0">:$within,
                       OptionalAttr<StrAttr>:$contract);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block &getBlock() { return getBody().front(); }
    unsigned getNumBindings() { return getBlock().getNumArguments() - 4; }
    ::mlir::BlockArgument getBinding(unsigned i) { return getBlock().getArgument(i); }
    ::mlir::BlockArgument getScratchArg() { return getBlock().getArgument(getNumBindings()); }
    ::mlir::BlockArgument getTileArg() { return getBlock().getArgument(getNumBindings() + 1); }
    ::mlir::BlockArgument getTokensArg() { return getBlock().getArgument(getNumBindings() + 2); }
    ::mlir::BlockArgument getPositionArg() { return getBlock().getArgument(getNumBindings() + 3); }
  }];
}

def Tile_ForTilesOp : Tile_Op<"for_tiles", [SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "runs its region for each tile that the kernel is run for";
  let description = [{
    One tile after another, or one alone on a target that takes no strips. The iterations know nothing of each other: they
    use the kernel's scratch as tiles do, except what was written there in front of the loop. Its second argument, if it has one,
    is the tile's place in the strip, 0 .. : what one loop leaves in scratch for a place the next one finds there.

      tile.kernel @k(...) grid(%tile, %tokens, %position) scratch(%s : 4096) tokens 8 strip 4 {
        ...
        tile.for_tiles %t { ... }
      }
  }];
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::BlockArgument getTile() { return getBody().getArgument(0); }
    bool hasPlace() { return getBody().getNumArguments() == 2; }
    ::mlir::BlockArgument getPlace() { return getBody().getArgument(1); }
  }];
}

def Tile_OnceOp : Tile_Op<"once", [SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "runs its region unless what that left in scratch is still there";
  let description = [{
    What a worker computes for many tiles of a dispatch alike. It is left out where the last `tile.once` that this worker ran for
    this dispatch, in this call or in one before, had the same key: the scratch is then as the tile before left it.
    `at`, a byte of the scratch that belongs to it alone, has room for the key, 4 bytes.

      tile.once %first at 4096 { tile.store %levels, %scratch[%offset] : vector<16xi16>, !tile.bytes }

    A target whose scratch does not outlive a tile runs it for each.
  }];
  let arguments = (ins Index:$key, I64Attr:$at);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$key `at` $at $body attr-dict";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

def Tile_ViewOp : Tile_Op<"view", [Pure]> {
  let summary = "part of a binding, addressed as rows or as arranged activations";
  let arguments = (ins Tile_BytesType:$source, I64Attr:$offset);
  let results = (outs AnyTypeOf<[Tile_RowsType, Tile_ArrangedType]>:$result);
  let assemblyFormat = "$source `[` $offset `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_LoadRowOp : Tile_Op<"load_row", [MemoryEffects<[MemRead]>]> {
  let summary = "elements [column, column + R) of T rows";
  let description = [{
    Lane r of row t is element `column + r` of row `row + t`. R is 1 for a number that is the same in all lanes;
    `uniform` says the same of R > 1 numbers (the x of a float dot). Rows past the token count may be read (buffers are
    padded); what is computed from them is never stored. Rows of i32 (limits, token ids) are read the same way.
  }];
  let arguments = (ins Tile_RowsType:$source, Index:$row, Index:$column, UnitAttr:$uniform);
  let results = (outs VectorOfRankAndType<[2], [F32, I32]>:$result);
  let assemblyFormat = [{
    $source `[` $row `,` $column `]` (`uniform` $uniform^)? attr-dict `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_GatherRowOp : Tile_Op<"gather_row", [MemoryEffects<[MemRead]>]> {
  let summary = "elements columns[r] of T rows";
  let arguments = (ins Tile_RowsType:$source, Index:$row, VectorOfRankAndType<[1], [I32]>:$columns);
  let results = (outs VectorOfRankAndType<[2], [F32]>:$result);
  let assemblyFormat = [{
    $source `[` $row `,` $columns `]` attr-dict `:` type($source) `,` type($columns) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_StoreRowOp : Tile_Op<"store_row", [MemoryEffects<[MemWrite]>]> {
  let summary = "stores T rows of R elements; rows at `limit` and above are left out";
  let arguments = (ins VectorOfRankAndType<[2], [F32, I32]>:$value, Tile_RowsType:$target, Index:$row,
                       Index:$column, Optional<Index>:$limit);
  let assemblyFormat = [{
    $value `,` $target `[` $row `,` $column `]` (`limit` $limit^)? attr-dict `:` type($value) `,` type($target)
  }];
  let hasVerifier = 1;
}

def Tile_LoadOp : Tile_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "one element a lane, neighbouring in memory";
  let description = [{Lane r is the element at byte `offset + r * sizeof(element)`; the offset is aligned to an element.}];
  let arguments = (ins Tile_Binding:$source, Index:$offset);
  let results = (outs VectorOfRankAndType<[1], [AnyType]>:$result);
  let assemblyFormat = "$source `[` $offset `]` attr-dict `:` type($source) `->` type($result)";
}

def Tile_LoadUniformOp : Tile_Op<"load_uniform", [MemoryEffects<[MemRead]>]> {
  let summary = "a number, or a few neighbouring ones, the same in all lanes";
  let arguments = (ins Tile_Binding:$source, Index:$offset);
  let results = (outs AnyTypeOf<[I32, F32, VectorOfRankAndType<[1], [I32, F32]>]>:$result);
  let assemblyFormat = "$source `[` $offset `]` attr-dict `:` type($source) `->` type($result)";
}

def Tile_StoreOp : Tile_Op<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "one element a lane, neighbouring in memory";
  let arguments = (ins VectorOfRankAndType<[1], [AnyType]>:$value, Tile_Binding:$target, Index:$offset);
  let assemblyFormat = "$value `,` $target `[` $offset `]` attr-dict `:` type($value) `,` type($target)";
}

def Tile_StoreUniformOp : Tile_Op<"store_uniform", [MemoryEffects<[MemWrite]>]> {
  let summary = "one number";
  let arguments = (ins AnyTypeOf<[I32, F32]>:$value, Tile_Binding:$target, Index:$offset);
  let assemblyFormat = "$value `,` $target `[` $offset `]` attr-dict `:` type($value) `,` type($target)";
}

def Tile_ScatterOp : Tile_Op<"scatter", [MemoryEffects<[MemWrite]>, AllShapesMatch<["value", "offsets"]>]> {
  let summary = "one element a lane, each at its own byte offset; lanes past `lanes` are left out";
  let arguments = (ins VectorOfRankAndType<[1], [AnyType]>:$value, Tile_Binding:$target, Index:$base,
                       VectorOfRankAndType<[1], [I32]>:$offsets, Index:$lanes);
  let assemblyFormat = [{
    $value `,` $target `[` $base `+` $offsets `]` `lanes` $lanes attr-dict
    `:` type($value) `,` type($target) `,` type($offsets)
  }];
}

def Tile_GatherOp : Tile_Op<"gather", [MemoryEffects<[MemRead]>]> {
  let summary = "one element a lane, each at its own byte offset";
  let arguments = (ins Tile_Binding:$source, Index:$base, VectorOfRankAndType<[1], [I32]>:$offsets);
  let results = (outs VectorOfRankAndType<[1], [AnyType]>:$result);
  let assemblyFormat = [{
    $source `[` $base `+` $offsets `]` attr-dict `:` type($source) `,` type($offsets) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_PrefetchOp : Tile_Op<"prefetch", [MemoryEffects<[MemWrite]>]> {
  let summary = "the cache line at this byte will be read soon";
  let description = [{`locality` 3 is the first-level cache, 2 the second; targets without caches drop it.}];
  let arguments = (ins Tile_Binding:$source, Index:$offset, DefaultValuedAttr<I32Attr, "2">:$locality);
  let assemblyFormat = "$source `[` $offset `]` attr-dict `:` type($source)";
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

def Tile_LanesOp : Tile_Op<"lanes", [Pure]> {
  let summary = "0, 1, 2, ... a lane";
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Tile_BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "vector<Tx1>, vector<R> or vector<1xR> to vector<TxR>; vector<Tx4> repeated to vector<TxR>";
  let arguments = (ins AnyVectorOfAnyRank:$source);
  let results = (outs VectorOfRankAndType<[2], [AnyType]>:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_ReduceKindAttr : I32EnumAttr<"ReduceKind", "how lanes are joined", [
    I32EnumAttrCase<"Add", 0, "add">, I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::sinter::tile";
  let genSpecializedAttr = 0;
}
def Tile_ReduceKind : EnumAttr<Tile_Dialect, Tile_ReduceKindAttr, "reduce_kind"> {
  let assemblyFormat = "`<` $value `>`";
}

def Tile_ReduceOp : Tile_Op<"reduce", [Pure]> {
  let summary = "joins the lanes of each token";
  let description = [{
    vector<TxRxE> -> vector<Tx1xE>, or in lane form vector<RxE> -> E. `lanes` joins the first so many only.
    Floats are added pairwise, halves first, on every target: the same order, the same bits. So the lanes joined are
    a power of two.
  }];
  let arguments = (ins Tile_ReduceKind:$kind, AnyVectorOfAnyRank:$source, OptionalAttr<I64Attr>:$lanes);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$kind $source (`lanes` $lanes^)? attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_SwapPairsOp : Tile_Op<"swap_pairs", [Pure, SameOperandsAndResultType]> {
  let summary = "lane r gets lane r xor 1";
  let arguments = (ins AnyVectorOfAnyRank:$source);
  let results = (outs AnyVectorOfAnyRank:$result);
  let assemblyFormat = "$source attr-dict `:` type($source)";
  let hasVerifier = 1;
}

def Tile_ConcatOp : Tile_Op<"concat", [Pure]> {
  let summary = "parts of a row tile side by side";
  let arguments = (ins Variadic<AnyVectorOfAnyRank>:$parts);
  let results = (outs AnyVectorOfAnyRank:$result);
  let assemblyFormat = "$parts attr-dict `:` type($parts) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_SpreadOp : Tile_Op<"spread", [Pure]> {
  let summary = "the bytes of Q words of one row, one a lane";
  let description = [{
    Lane 4q + i is byte i of word q, sign-extended if `signed_codes`. With float sources lane q is value q.
    It is how a row is read out of a packed matrix.
  }];
  let arguments = (ins Variadic<VectorOfRankAndType<[1], [I32, F32]>>:$words, UnitAttr:$signed_codes);
  let results = (outs VectorOfRankAndType<[1], [I32, F32]>:$result);
  let assemblyFormat = "$words attr-dict `:` type($words) `->` type($result)";
  let hasVerifier = 1;
}

#endif
