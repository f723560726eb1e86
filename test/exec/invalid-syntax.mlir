// RUN: sinter-opt %s --split-input-file --verify-diagnostics

exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{expected read, write or update, got 'reads'}}
    exec.dispatch @a(reads @x) tiles<1>
  }
}

// -----
// expected-error@+1 {{expected tokens, targets, logits or scores, got 'text'}}
exec.program @p max_tokens 1 ports [text @x] {}

// -----
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{expected 'per N tokens' or 'per N positions', each at most once, N at least 1}}
    exec.dispatch @a() tiles<1 per 0 tokens>
  }
}

// -----
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{expected 'per N tokens' or 'per N positions', each at most once, N at least 1}}
    exec.dispatch @a() tiles<1 per 4 tokens per 8 tokens>
  }
}

// -----
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{a tile count needs a constant of at least 1}}
    exec.dispatch @a() tiles<0>
  }
}

// -----
exec.program @p max_tokens 1 ports [] {
  exec.group {
    // expected-error@+1 {{offset and size must not be negative}}
    exec.dispatch @a(read @x offset -64) tiles<1>
  }
}
