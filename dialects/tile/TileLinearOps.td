//===- TileLinearOps.td - The linear layer's words -------------------------===//
#ifndef SINTER_DIALECTS_TILE_LINEAR_OPS_TD
#define SINTER_DIALECTS_TILE_LINEAR_OPS_TD

include "dialects/tile/TileOps.td"

def Tile_LoadPackedOp : Tile_Op<"load_packed", [MemoryEffects<[MemRead]>]> {
  let summary = "R rows of row tile `tile`, from row `row` of it on, and activation group `block`";
  let description = [{
    For float formats a block is 8 columns. The result names the place; `unpack`, `scale` and `minimum` read it.
  }];
  let arguments = (ins Tile_PackedType:$source, Index:$tile, Index:$block, Index:$row);
  let results = (outs Tile_BlockType:$result);
  let assemblyFormat = [{
    $source `[` $tile `,` $block `]` `row` $row attr-dict `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_UnpackOp : Tile_Op<"unpack", [Pure]> {
  let summary = "the codes of a block: Q words a row";
  let description = [{
    Integer formats: 8 results vector<Rxi32>, word q holding the codes of elements 4q .. 4q+3, one byte each (unsigned,
    or two's complement where the format says so). Float formats: 8 results vector<Rxf32>, one a column.
    With `pairs` (integer formats) there are 4 results vector<2Rxi32>: lanes 2r and 2r + 1 of result j are words 2j and
    2j + 1 of row r, what `dot_pairs` takes.
  }];
  let arguments = (ins Tile_BlockType:$block, UnitAttr:$pairs);
  let results = (outs Variadic<VectorOfRankAndType<[1], [I32, F32]>>:$codes);
  let assemblyFormat = "$block (`pairs` $pairs^)? attr-dict `:` type($block) `->` type($codes)";
  let hasVerifier = 1;
}

def Tile_LookupOp : Tile_Op<"lookup", [Pure, AllTypesMatch<["codes", "result"]>]> {
  let summary = "the entry of a table of 16 bytes for each byte of a word";
  let description = [{
    How the codes of a format with a codebook are made (lane form only). Every byte of `codes` is below 16; the bytes of
    the result are two's complement.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32]>:$codes, DenseI8ArrayAttr:$table);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "$codes `in` $table attr-dict `:` type($codes)";
  let hasVerifier = 1;
}

def Tile_ScaleOp : Tile_Op<"scale", [Pure]> {
  let summary = "the scale chain of a block's scale group, as f32 a row";
  let arguments = (ins Tile_BlockType:$block, DefaultValuedAttr<I64Attr, "0">:$group);
  let results = (outs VectorOfRankAndType<[1], [F32]>:$result);
  let assemblyFormat = "$block (`group` $group^)? attr-dict `:` type($block) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_MinimumOp : Tile_Op<"minimum", [Pure]> {
  let summary = "the minimum chain of a block's scale group, as f32 a row";
  let arguments = (ins Tile_BlockType:$block, DefaultValuedAttr<I64Attr, "0">:$group);
  let results = (outs VectorOfRankAndType<[1], [F32]>:$result);
  let assemblyFormat = "$block (`group` $group^)? attr-dict `:` type($block) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_LoadActsOp : Tile_Op<"load_acts", [MemoryEffects<[MemRead]>]> {
  let summary = "one activation group of T tokens";
  let description = [{
    `codes`: the 32 int8 of each token as 8 words; `scale`: its scale; `start`, `low`, `high`: what
    dots with offset codes start from, of the group and of its halves; `total`: scale times sum (see `!tile.acts`).
    `crossed`: for crossed dots; words 0, 2, 4 are moved up.
  }];
  let arguments = (ins Tile_ActsType:$source, Index:$row, Index:$block, UnitAttr:$crossed);
  let results = (outs VectorOfRankAndType<[2], [I32]>:$codes, VectorOfRankAndType<[2], [F32]>:$scale,
                      VectorOfRankAndType<[2], [I32]>:$start, VectorOfRankAndType<[2], [I32]>:$low,
                      VectorOfRankAndType<[2], [I32]>:$high, VectorOfRankAndType<[2], [F32]>:$total);
  let assemblyFormat = [{
    $source `[` $row `,` $block `]` (`crossed` $crossed^)? attr-dict
    `:` type($source) `->` type($codes) `,` type($scale) `,` type($start) `,` type($low) `,` type($high) `,` type($total)
  }];
  let hasVerifier = 1;
}

def Tile_ArrangeActsOp : Tile_Op<"arrange_acts", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "copies the activations of a register block's tokens side by side";
  let description = [{
    Rows `row` .. of `source` as the type of `target`, a view of scratch, says. Up to three groups behind the last may be
    read and are copied to where nothing reads them.
  }];
  let arguments = (ins Tile_ActsType:$source, Index:$row, Tile_ArrangedType:$target);
  let assemblyFormat = "$source `[` $row `]` `,` $target attr-dict `:` type($source) `,` type($target)";
  let hasVerifier = 1;
}

def Tile_LoadArrangedOp : Tile_Op<"load_arranged", [MemoryEffects<[MemRead]>]> {
  let summary = "one activation group of all tokens of an arranged block";
  let description = [{
    Results as those of `load_acts`, with 4 times each start. Of tokens that go together by two, a row of the results is a
    pair t, u: 16 words of codes, t0 t1 u0 u1 t2 t3 u2 u3 .., and all numbers as t u t u. Numbers that the type does not
    name are not used.
  }];
  let arguments = (ins Tile_ArrangedType:$source, Index:$block);
  let results = (outs VectorOfRankAndType<[2], [I32]>:$codes, VectorOfRankAndType<[2], [F32]>:$scale,
                      VectorOfRankAndType<[2], [I32]>:$start, VectorOfRankAndType<[2], [I32]>:$low,
                      VectorOfRankAndType<[2], [I32]>:$high, VectorOfRankAndType<[2], [F32]>:$total);
  let assemblyFormat = [{
    $source `[` $block `]` attr-dict `:` type($source) `->` type($codes) `,` type($scale) `,` type($start) `,` type($low)
    `,` type($high) `,` type($total)
  }];
  let hasVerifier = 1;
}

def Tile_DotOp : Tile_Op<"dot", [Pure, AttrSizedOperandSegments, AllTypesMatch<["init", "result"]>]> {
  let summary = "a dot product of G neighbours a lane, added to a wider sum";
  let description = [{
    Integer (G = 4): init[t][r] + sum over words q and bytes i of (codes[q][r].byte i) * (x[t][first + q].byte i),
    exactly.
    `bits` is how many bits of a code may be set: 8 means two's complement bytes, fewer means unsigned. `start` is -8
    times the sum of the x bytes of token t; a target whose instruction takes unsigned weights needs it to correct for
    the flipped top bit of 8-bit codes and refuses the op without it, others ignore it. x bytes lie in -127 .. 127.
    `positive`: x bytes lie in 0 .. 127, so that an instruction of unsigned by signed bytes takes x for the former; there is no start.
    `unsigned_codes`: 8 bits are unsigned too, for targets whose instruction takes them so; others refuse the op.
    `in_turn`: there are so many sums that registers hold little besides. Back ends take all tokens of a word, then the
    next word, and make a word where it is used.
    `crossed`: fewer multiplications, and additions for the others (S. Winograd, A New Algorithm for Inner Product, IEEE
    Transactions on Computers C-17, 1968). With words a, b of x, which are number n and n + 1 of a group, and their codes c, d,
      init[t][r] + sum over n = 0, 2, 4 and bytes i of unsigned((a + d).byte i) * signed(b.byte i + c.byte i)
    where a + d is a sum of words, and the others are of bytes, modulo 256. That is a * c + b * d, and a * b and c * d, which
    depend on the token or on the row alone: the kernel takes them off. Words 6 and 7 are as of `unsigned_codes`. For targets
    with an instruction for bytes of either kind; others refuse the op.

    Float (G = 1): init[t][r] + sum over q of codes[q][r] * x[t][q], each product and sum fused.
  }];
  let arguments = (ins VectorOfAnyRankOf<[I32, F32]>:$init, Variadic<VectorOfRankAndType<[1], [I32, F32]>>:$codes,
                       VectorOfAnyRankOf<[I32, F32]>:$x, Optional<AnyType>:$start, I64Attr:$bits, DefaultValuedAttr<I64Attr, "0">:$first,
                       UnitAttr:$unsigned_codes, UnitAttr:$in_turn, UnitAttr:$crossed, UnitAttr:$positive);
  let results = (outs VectorOfAnyRankOf<[I32, F32]>:$result);
  let assemblyFormat = [{
    $init `,` `[` $codes `]` `,` $x (`from` $first^)? (`start` $start^ `:` type($start))? `bits` $bits
    (`unsigned` $unsigned_codes^)? (`positive` $positive^)? (`in_turn` $in_turn^)? (`crossed` $crossed^)? attr-dict
    `:` `[` type($codes) `]` `,` type($x) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_DotPairsOp : Tile_Op<"dot_pairs", [Pure, AllTypesMatch<["init", "result"]>]> {
  let summary = "two rows by two tokens by 8 codes, added to wider sums";
  let description = [{
    Sums of pairs of tokens t, u: lane 2r is row r of t, lane 2r + 1 row r of u; vector<Px2R> for P pairs, or in lane form
    vector<2R>. To each is added, exactly,
      sum over j and bytes i of (codes[j] lane 2r + h).byte i * (x word 2 * first + 4j + h of t, + 2 of u).byte i
    for h in 0, 1. `codes` are of `unpack pairs`, `x` of `load_arranged`; `first` is the word of a row where they start.
    Codes of fewer than 8 bits are unsigned, of 8 two's complement, as with `dot`.
  }];
  let arguments = (ins VectorOfAnyRankOf<[I32]>:$init, Variadic<VectorOfRankAndType<[1], [I32]>>:$codes,
                       VectorOfAnyRankOf<[I32]>:$x, DefaultValuedAttr<I64Attr, "0">:$first);
  let results = (outs VectorOfAnyRankOf<[I32]>:$result);
  let assemblyFormat = [{
    $init `,` `[` $codes `]` `,` $x (`from` $first^)? attr-dict `:` `[` type($codes) `]` `,` type($x) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_SplitPairsOp : Tile_Op<"split_pairs", [Pure]> {
  let summary = "sums of P pairs of tokens, vector<Px2R>, as those of 2P tokens, vector<2PxR>";
  let description = [{
    Row 2p of the result has lanes 0, 2, 4 .. of row p (the first token of the pair), row 2p + 1 lanes 1, 3, 5 ...
  }];
  let arguments = (ins VectorOfRankAndType<[2], [F32]>:$source);
  let results = (outs VectorOfRankAndType<[2], [F32]>:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_ScaleAccumulateOp : Tile_Op<"scale_accumulate", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "acc + float(dot) * (weight scale * activation scale)";
  let arguments = (ins VectorOfRankAndType<[2], [F32]>:$acc, VectorOfRankAndType<[2], [I32]>:$dot,
                       VectorOfRankAndType<[1], [F32]>:$weight_scale, VectorOfRankAndType<[2], [F32]>:$act_scale);
  let results = (outs VectorOfRankAndType<[2], [F32]>:$result);
  let assemblyFormat = [{
    $acc `,` $dot `,` $weight_scale `,` $act_scale attr-dict
    `:` type($dot) `,` type($weight_scale) `,` type($act_scale) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_AccumulateLevelsOp : Tile_Op<"accumulate_levels", [Pure, AllTypesMatch<["acc", "low", "high", "result"]>]> {
  let summary = "two dots times scales of 16 bits, added to a 32-bit sum";
  let description = [{
    A word of `weight_levels` (one a row) and one of `act_levels` (one a token) hold two levels of 16 bits each: scales as
    fractions of a unit that the kernel multiplies by in the end. With w and a for the levels of a half,
      acc[t][r] + sum over the halves of (dot[t][r] >> shift) * ((w * a + 2^14) >> 15)
    for `low` and `high`. A shifted dot fits 16 bits. With `offsets`, a word a row, their halves are added to the shifted dots,
    modulo 2^16. That sums fit 32 bits is the kernel's to see to.
  }];
  let arguments = (ins VectorOfAnyRankOf<[I32]>:$acc, VectorOfAnyRankOf<[I32]>:$low, VectorOfAnyRankOf<[I32]>:$high,
                       VectorOfRankAndType<[1], [I32]>:$weight_levels,
                       AnyTypeOf<[I32, VectorOfRankAndType<[2], [I32]>]>:$act_levels,
                       Optional<VectorOfRankAndType<[1], [I32]>>:$offsets, I64Attr:$shift);
  let results = (outs VectorOfAnyRankOf<[I32]>:$result);
  let assemblyFormat = [{
    $acc `,` $low `,` $high `,` $weight_levels `,` $act_levels `shift` $shift (`offsets` $offsets^ `:` type($offsets))? attr-dict
    `:` type($weight_levels) `,` type($act_levels) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_LoadLevelsOp : Tile_Op<"load_levels", [MemoryEffects<[MemRead]>, AllTypesMatch<["low", "high"]>]> {
  let summary = "a line of two levels a row for each token, out of a table";
  let description = [{
    A word a row, whose halves are those of two lines: its low half that of the line at byte `offset` + `low` of the token, its
    high half that of the line at `offset` + `high`.
  }];
  let arguments = (ins Tile_Binding:$source, Index:$offset, VectorOfRankAndType<[2], [I32]>:$low,
                       VectorOfRankAndType<[2], [I32]>:$high);
  let results = (outs VectorOfRankAndType<[2], [I32]>:$result);
  let assemblyFormat = [{
    $source `[` $offset `]` `low` $low `high` $high attr-dict `:` type($source) `,` type($low) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_AccumulateShiftedOp
    : Tile_Op<"accumulate_shifted", [Pure, AllTypesMatch<["acc", "low", "high", "levels", "result"]>]> {
  let summary = "two dots times levels of 16 bits, added to a 32-bit sum";
  let description = [{
    As tile.accumulate_levels, with one level of 16 bits for each dot (a word of `levels` holds that of `low` in its low half), and
    a power of two for each token:
      acc[t][r] + ((low[t][r] >> right[t]) mod 2^16) * low half + ((high[t][r] << left[t]) >> 16) * high half
    with signed halves. Shifts are less than 32. That sums fit 32 bits is the kernel's to see to.
  }];
  let arguments = (ins VectorOfAnyRankOf<[I32]>:$acc, VectorOfAnyRankOf<[I32]>:$low, VectorOfAnyRankOf<[I32]>:$high,
                       VectorOfAnyRankOf<[I32]>:$levels, AnyTypeOf<[I32, VectorOfRankAndType<[2], [I32]>]>:$right,
                       AnyTypeOf<[I32, VectorOfRankAndType<[2], [I32]>]>:$left);
  let results = (outs VectorOfAnyRankOf<[I32]>:$result);
  let assemblyFormat = [{
    $acc `,` $low `,` $high `,` $levels `right` $right `left` $left attr-dict `:` type($right) `,` type($left) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_DotHalvesOp : Tile_Op<"dot_halves", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "two products of signed halves a lane, added to a 32-bit sum";
  let description = [{
    A word of `line` (one a lane) and one of `x` (one a token) hold two integers of 16 bits each:
      acc[t][r] + low(line[r]) * low(x[t]) + high(line[r]) * high(x[t])
    That sums fit 32 bits is the kernel's to see to.
  }];
  let arguments = (ins VectorOfAnyRankOf<[I32]>:$acc, VectorOfRankAndType<[1], [I32]>:$line,
                       AnyTypeOf<[I32, VectorOfRankAndType<[2], [I32]>]>:$x);
  let results = (outs VectorOfAnyRankOf<[I32]>:$result);
  let assemblyFormat = "$acc `,` $line `,` $x attr-dict `:` type($line) `,` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_StoreActsOp : Tile_Op<"store_acts", [AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "quantizes groups of 32 values to int8 and stores them with scale and sums";
  let description = [{
    scale = max|v| / 127, or / 120 of crossed activations, or the next larger one of stepped ones; codes = round to nearest, ties to even, of v / scale; the sums
    follow the codes. A group of zeros gets scale 0. Rows at `limit` and above are left out. `largest`: max|v| of each token,
    where it is known already. Without `halves` or `totals` half starts or totals are left as they are: nobody reads them.
  }];
  let arguments = (ins VectorOfRankAndType<[2], [F32]>:$value, Tile_ActsType:$target, Index:$row, Index:$block,
                       Optional<Index>:$limit, Optional<VectorOfRankAndType<[2], [F32]>>:$largest, UnitAttr:$halves,
                       UnitAttr:$totals);
  let assemblyFormat = [{
    $value `,` $target `[` $row `,` $block `]` (`limit` $limit^)? (`largest` $largest^ `:` type($largest))?
    (`halves` $halves^)? (`totals` $totals^)? attr-dict `:` type($value) `,` type($target)
  }];
  let hasVerifier = 1;
}

#endif
