//===- Precompiled.cpp - A target needs a file; the header is what matters ---------===//
