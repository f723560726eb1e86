// RUN: sinter-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{unknown weight format 'q9_9'}}
func.func private @format(!tile.packed<32x32, q9_9>)

// -----
// expected-error@+1 {{unknown weight format 'int4'}}
func.func private @block_format(!tile.block<int4, 16>)

// -----
// expected-error@+1 {{a packed matrix has rows and columns}}
func.func private @rank(!tile.packed<32, q4_0>)

// -----
// expected-error@+1 {{a packed matrix has at least one row and one column, not 0x32}}
func.func private @no_rows(!tile.packed<0x32, q4_0>)

// -----
// expected-error@+1 {{rows have at least one element, not 0}}
func.func private @no_width(!tile.rows<0>)

// -----
// Rows that overlap: 64 floats are 256 bytes.
// expected-error@+1 {{rows of 64 floats are a multiple of 4 bytes and at least 256 apart, not 128}}
func.func private @overlap(!tile.rows<64, stride 128>)

// -----
// expected-error@+1 {{rows of 1 floats are a multiple of 4 bytes and at least 4 apart, not 6}}
func.func private @unaligned(!tile.rows<1, stride 6>)

// -----
// A scale and two sums belong to 32 codes.
// expected-error@+1 {{int8 activations come in groups of 32: a width of 48 has none}}
func.func private @part_of_a_group(!tile.acts<48>)

// -----
// expected-error@+1 {{int8 activations come in groups of 32: a width of 48 has none}}
func.func private @arranged_width(!tile.arranged<48, 4 by 1>)

// -----
// expected-error@+1 {{tokens go together by one or by two, not by 4}}
func.func private @arranged_together(!tile.arranged<64, 4 by 4>)

// -----
// Numbers of single tokens lie by fours.
// expected-error@+1 {{tokens that go together by 1 are a multiple of 4, not 6}}
func.func private @arranged_fours(!tile.arranged<64, 6 by 1>)

// -----
// expected-error@+1 {{tokens that go together by 2 are a multiple of 2, not 3}}
func.func private @arranged_pairs(!tile.arranged<64, 3 by 2>)

// -----
// expected-error@+1 {{expected 'totals'}}
func.func private @arranged_numbers(!tile.arranged<64, 4 by 1, sums>)
