//===- merge_queue.h - Merging neighbours in order of a key ---------------===//
//
// Both kinds of tokenizer begin with small symbols in a row and merge, again and again, the pair of
// neighbours with the smallest key (the leftmost of several), until no pair has one. Here it is
// done once: a doubly linked list of symbols, and a binary heap of those that have a partner on
// their right. A symbol knows its place in the heap, so that a merge changes at most three keys in
// place: n symbols take O(n log n) whatever the text.
//
//   symbols:   [th] -> [e] -> [ ] -> [c] -> [at]         key of a symbol: that of it and the next
//   keys:       17      -      204    90     -           heap: th(17), c(90), ' '(204)
//
// A symbol is named by the offset of its first byte. The policy says what a key is:
//
//   uint32_t key(const merge_queue &, uint32_t left, uint32_t right)   `none`: they do not merge
//   uint32_t merged(const merge_queue &, uint32_t left)                id of left with its partner
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_RUNTIME_TEXT_MERGE_QUEUE_H
#define SINTER_RUNTIME_TEXT_MERGE_QUEUE_H

#include "runtime/text/tokenizer_tables.h"

#include <utility>

namespace sinter::text {

struct merge_symbol {
  uint32_t next;     ///< the symbol on the right; `end` of the text behind the last
  uint32_t previous; ///< `none` before the first
  uint32_t id;       ///< the policy's
  uint32_t key;      ///< of this and the next; `none`: they do not merge
  uint32_t place;    ///< in the heap, if there is a key
};

template <typename Policy> class merge_queue {
public:
  /// Work memory for a text of this many bytes.
  static constexpr size_t bytes_per_text_byte = sizeof(merge_symbol) + sizeof(uint32_t);

  /// `work` has bytes_per_text_byte for each of `text_bytes` and is aligned for uint32_t.
  merge_queue(Policy policy, void *work, uint32_t text_bytes)
      : policy(policy), symbols(static_cast<merge_symbol *>(work)),
        heap(reinterpret_cast<uint32_t *>(symbols + text_bytes)), text_bytes(text_bytes) {}

  /// Adds a symbol on the right, which goes from `offset` to the next one or the end of the text.
  void append(uint32_t offset, uint32_t id) {
    symbols[offset] = {text_bytes, last, id, none, 0};
    if (last != none)
      symbols[last].next = offset;
    last = offset;
  }

  uint32_t end() const { return text_bytes; }
  const merge_symbol &operator[](uint32_t offset) const { return symbols[offset]; }

  /// Merges until nothing does. The text is not empty; afterwards its first symbol is at 0.
  void run() {
    for (uint32_t left = 0; symbols[left].next != text_bytes; left = symbols[left].next)
      if (uint32_t key = policy.key(*this, left, symbols[left].next); key != none) {
        symbols[left].key = key;
        put(left, heap_size++);
      }
    for (uint32_t i = heap_size / 2; i-- != 0;)
      sift_down(i);
    while (heap_size != 0)
      merge_with_next(heap[0]);
  }

private:
  void merge_with_next(uint32_t left) {
    merge_symbol &symbol = symbols[left];
    symbol.id = policy.merged(*this, left);
    uint32_t right = symbol.next;
    set_key(right, none);
    symbol.next = symbols[right].next;
    if (symbol.next != text_bytes)
      symbols[symbol.next].previous = left;
    update(left);
    if (symbol.previous != none)
      update(symbol.previous);
  }

  void update(uint32_t left) {
    uint32_t right = symbols[left].next;
    set_key(left, right == text_bytes ? none : policy.key(*this, left, right));
  }

  void set_key(uint32_t offset, uint32_t key) {
    merge_symbol &symbol = symbols[offset];
    uint32_t before = symbol.key;
    symbol.key = key;
    if (before == none && key == none)
      return;
    if (before == none) {
      put(offset, heap_size++);
      sift_up(symbol.place);
    } else if (key != none) {
      sift_up(symbol.place);
      sift_down(symbol.place);
    } else {
      uint32_t place = symbol.place;
      uint32_t moved = heap[--heap_size];
      if (moved != offset) {
        put(moved, place);
        sift_up(place);
        sift_down(symbols[moved].place);
      }
    }
  }

  void put(uint32_t offset, uint32_t place) {
    heap[place] = offset;
    symbols[offset].place = place;
  }

  bool before(uint32_t a, uint32_t b) const {
    return symbols[a].key != symbols[b].key ? symbols[a].key < symbols[b].key : a < b;
  }

  void sift_up(uint32_t place) {
    uint32_t offset = heap[place];
    for (; place != 0 && before(offset, heap[(place - 1) / 2]); place = (place - 1) / 2)
      put(heap[(place - 1) / 2], place);
    put(offset, place);
  }

  void sift_down(uint32_t place) {
    uint32_t offset = heap[place];
    for (uint32_t child; (child = 2 * place + 1) < heap_size; place = child) {
      if (child + 1 < heap_size && before(heap[child + 1], heap[child]))
        ++child;
      if (!before(heap[child], offset))
        break;
      put(heap[child], place);
    }
    put(offset, place);
  }

  Policy policy;
  merge_symbol *symbols;
  uint32_t *heap;
  uint32_t heap_size = 0;
  uint32_t text_bytes;
  uint32_t last = none;
};

} // namespace sinter::text

#endif // SINTER_RUNTIME_TEXT_MERGE_QUEUE_H
