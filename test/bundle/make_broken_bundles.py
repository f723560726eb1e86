#!/usr/bin/python3
"""Breaks a valid bundle in many ways, one a file, for tests of the loader.

    make_broken_bundles.py BUNDLE DIRECTORY

Writes valid.sinter, a copy, and NAME.sinter for each way. Files whose metadata was changed get a right hash again
(except where the hash is what is wrong), so that the checks behind it are reached. Every file has to be refused by
`sinter run` and `sinter inspect` with exit code 1 and one message.

The metadata is a flatbuffer; what lies where is read from schema/bundle.fbs, so that fields are named here as there.
"""
import os
import re
import struct
import sys

HEADER = 64
SCALARS = {"bool": "<B", "ubyte": "<B", "uint": "<I", "ulong": "<Q"}
HUGE64, HUGE32 = (1 << 64) - 1, (1 << 32) - 1


class Schema:
    """Tables, structs and enums of bundle.fbs: names and types of fields, in order."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"//[^\n]*", "", file.read())
        self.tables, self.structs, self.enums = {}, {}, set()
        for kind, name, body in re.findall(r"\b(table|struct|enum)\s+(\w+)[^{]*\{([^}]*)\}", text):
            if kind == "enum":
                self.enums.add(name)
                continue
            fields = re.findall(r"(\w+)\s*:\s*(\[?\w+\]?)[^;]*;", body)
            (self.tables if kind == "table" else self.structs)[name] = fields

    def scalar(self, kind):
        return "<B" if kind in self.enums else SCALARS.get(kind)

    def struct_layout(self, name):
        """Field -> (offset, format) of a struct, and its size."""
        layout, offset, widest = {}, 0, 1
        for field, kind in self.structs[name]:
            form = self.scalar(kind)
            size = struct.calcsize(form)
            offset = (offset + size - 1) // size * size
            layout[field] = (offset, form)
            offset, widest = offset + size, max(widest, size)
        return layout, (offset + widest - 1) // widest * widest


class Place:
    """A value inside the file: where it lies and of what type it is."""

    def __init__(self, at, kind):
        self.at, self.kind = at, kind


class Bundle:
    def __init__(self, data, schema):
        self.data, self.schema = bytearray(data), schema

    def get(self, form, at):
        return struct.unpack_from(form, self.data, at)[0]

    def put(self, form, at, value):
        struct.pack_into(form, self.data, at, value)

    @property
    def metadata_size(self):
        return self.get("<Q", 16)

    def seal(self):
        """Makes hash and file size of the header right again."""
        value = 0xcbf29ce484222325
        for byte in self.data[HEADER:HEADER + self.metadata_size]:
            value = (value ^ byte) * 0x100000001b3 & HUGE64
        self.put("<Q", 32, value)
        self.put("<Q", 24, len(self.data))

    def field(self, table, name):
        """Where a field of a table lies; None if it is absent."""
        fields = [field for field, _ in self.schema.tables[table.kind]]
        index = fields.index(name)
        vtable = table.at - self.get("<i", table.at)
        if 4 + 2 * index + 2 > self.get("<H", vtable):
            return None
        offset = self.get("<H", vtable + 4 + 2 * index)
        return Place(table.at + offset, self.schema.tables[table.kind][index][1]) if offset else None

    def follow(self, place):
        """Through the offset of a table, vector or string."""
        if place.kind in self.schema.tables or place.kind.startswith("[") or place.kind == "string":
            return Place(place.at + self.get("<I", place.at), place.kind)
        return place

    def elements(self, vector):
        kind = vector.kind.strip("[]")
        form = self.schema.scalar(kind)
        size = struct.calcsize(form) if form else \
            self.schema.struct_layout(kind)[1] if kind in self.schema.structs else 4
        for i in range(self.get("<I", vector.at)):
            yield Place(vector.at + 4 + i * size, kind)

    def all(self, path):
        """Places of every value that a path names: "programs.groups.dispatches.kernel" goes through all elements."""
        places = [Place(HEADER + self.get("<I", HEADER), "Bundle")]
        names = path.split(".")
        for depth, name in enumerate(names):
            found = []
            for place in places:
                if place.kind in self.schema.structs:
                    offset, form = self.schema.struct_layout(place.kind)[0][name]
                    found.append(Place(place.at + offset, form))
                    continue
                value = self.field(place, name)
                if value is None:
                    continue
                if depth == len(names) - 1:
                    found.append(value)
                elif value.kind.startswith("["):
                    found.extend(self.follow(element) for element in self.elements(self.follow(value)))
                else:
                    found.append(self.follow(value))
            places = found
        return places

    def first(self, path, number=0):
        places = self.all(path)
        if len(places) <= number:
            sys.exit(f"make_broken_bundles.py: the bundle has no {path} (number {number}) to break")
        return places[number]

    def set(self, path, value, number=0):
        place = self.first(path, number)
        self.put(self.schema.scalar(place.kind) or place.kind, place.at, value)

    def value(self, path, number=0):
        place = self.first(path, number)
        return self.get(self.schema.scalar(place.kind) or place.kind, place.at)

    def set_length(self, path, value, number=0):
        """Of a vector or string."""
        self.put("<I", self.follow(self.first(path, number)).at, value)

    def text(self, path, number):
        at = self.follow(self.first(path, number)).at
        return bytes(self.data[at + 4:at + 4 + self.get("<I", at)]).decode()

    def rename(self, path, old, new):
        """Overwrites a string with one of the same length."""
        for number in range(len(self.all(path))):
            if self.text(path, number) == old:
                at = self.follow(self.first(path, number)).at + 4
                self.data[at:at + len(old)] = new.encode()
                return
        sys.exit(f"make_broken_bundles.py: no {path} is '{old}'")

    def segment(self, kind):
        """Offset and size of a segment by its number in SegmentKind (0 is left out of a flatbuffer)."""
        root = Place(HEADER + self.get("<I", HEADER), "Bundle")
        for element in self.elements(self.follow(self.field(root, "segments"))):
            table = self.follow(element)
            place = self.field(table, "kind")
            if (self.get("<B", place.at) if place else 0) == kind:
                return self.get("<Q", self.field(table, "offset").at), self.get("<Q", self.field(table, "size").at)
        sys.exit(f"make_broken_bundles.py: the bundle has no segment of kind {kind}")


# ---- One value changed, the hash made right ----------------------------------------------------------

# (name, path, number of the occurrence, new value or a function of the old one)
FIELDS = [
    ("schema_version_newer", "schema_version", 0, 99),
    ("schema_version_zero", "schema_version", 0, 0),
    ("kernel_abi_newer", "kernel_abi", 0, 99),
    ("kernel_abi_zero", "kernel_abi", 0, 0),
    ("vocabulary_zero", "model.vocabulary", 0, 0),
    ("vocabulary_huge", "model.vocabulary", 0, HUGE32),
    ("vocabulary_other_than_tokenizer", "model.vocabulary", 0, lambda old: old - 1),
    ("context_zero", "model.context", 0, 0),
    ("context_huge", "model.context", 0, HUGE32),
    ("chunk_zero", "model.prefill_chunk", 0, 0),
    ("chunk_other_than_programs", "model.prefill_chunk", 0, lambda old: old + 1),
    ("layers_zero", "model.layers", 0, 0),
    ("segment_kind_unknown", "segments.kind", 0, 77),
    ("segment_kind_twice", "segments.kind", 1, lambda old: 3 - old),
    ("segment_offset_huge", "segments.offset", 0, HUGE64 - 16383),
    ("segment_offset_zero", "segments.offset", 0, 0),
    ("segment_offset_unaligned", "segments.offset", 1, lambda old: old + 4),
    ("segment_size_huge", "segments.size", 1, HUGE64),
    ("segment_size_zero", "segments.size", 2, 0),
    ("segment_size_past_end", "segments.size", 2, lambda old: old + (1 << 40)),
    ("variant_code_size_huge", "variants.code_size", 0, HUGE64),
    ("variant_code_size_zero", "variants.code_size", 0, 0),
    ("kernel_entry_outside", "kernels.entries.entry", 0, HUGE64 - 3),
    ("kernel_entry_unaligned", "kernels.entries.entry", 1, lambda old: old + 1),
    ("kernel_scratch_huge", "kernels.entries.scratch_bytes", 0, HUGE64 - 63),
    ("kernel_bindings_more", "kernels.bindings", 0, lambda old: old + 1),
    ("kernel_bindings_huge", "kernels.bindings", 0, HUGE32),
    ("program_tokens_zero", "programs.max_tokens", 0, 0),
    ("program_tokens_huge", "programs.max_tokens", 0, HUGE32),
    ("dispatch_kernel_outside", "programs.groups.dispatches.kernel", 0, HUGE32),
    ("tiles_zero", "programs.groups.dispatches.tiles.constant", 0, 0),
    ("tiles_overflow", "programs.groups.dispatches.tiles.constant", 1, HUGE32),
    ("weight_bytes_huge", "programs.groups.dispatches.weight_bytes", 0, HUGE64),
    ("macs_huge", "programs.groups.dispatches.macs", 0, HUGE64),
    ("kv_bytes_huge", "programs.groups.dispatches.kv_bytes", 0, HUGE64),
    ("binding_space_unknown", "programs.groups.dispatches.bindings.space", 0, 9),
    ("binding_offset_huge", "programs.groups.dispatches.bindings.offset", 0, HUGE64 - 63),
    ("binding_offset_unaligned", "programs.groups.dispatches.bindings.offset", 1, lambda old: old + 1),
    ("binding_size_huge", "programs.groups.dispatches.bindings.size", 0, HUGE64),
    ("binding_size_past_end", "programs.groups.dispatches.bindings.size", 1, 1 << 45),
    ("indirect_index_outside", "programs.groups.dispatches.bindings.indirect.index_offset", 0, HUGE64 - 3),
    ("indirect_stride_huge", "programs.groups.dispatches.bindings.indirect.stride", 0, HUGE64 - 63),
    ("indirect_limit_zero", "programs.groups.dispatches.bindings.indirect.limit", 0, 0),
    ("indirect_limit_huge", "programs.groups.dispatches.bindings.indirect.limit", 0, HUGE32),
    ("port_role_unknown", "programs.ports.role", 0, 99),
    ("port_offset_outside", "programs.ports.offset", 0, HUGE64 - 3),
    ("port_offset_unaligned", "programs.ports.offset", 0, lambda old: old + 1),
    ("port_size_small", "programs.ports.size", 0, 1),
    ("port_size_huge", "programs.ports.size", 0, HUGE64),
    ("memory_fixed_huge", "memory.fixed_bytes", 0, HUGE64 - 63),
    ("memory_fixed_small", "memory.fixed_bytes", 0, 64),
    ("memory_fixed_unaligned", "memory.fixed_bytes", 0, lambda old: old + 1),
    ("memory_state_above_fixed", "memory.state_bytes", 0, HUGE64),
    ("memory_scratch_huge", "memory.scratch_bytes", 0, HUGE64 - 63),
    ("memory_kv_above_state", "memory.kv_bytes", 0, HUGE64),
    ("buffer_outside", "memory.buffers.size", 0, HUGE64),
]


def change_fields(make):
    for name, path, number, value in FIELDS:
        def change(bundle, path=path, number=number, value=value):
            bundle.set(path, value(bundle.value(path, number)) if callable(value) else value, number)
        make(name, change)


def change_structure(make):
    """Lengths, offsets and strings of the flatbuffer itself."""
    for name, path, value in (("no_variants", "variants", 0), ("no_kernels", "kernels", 0), ("no_programs", "programs", 0),
                              ("one_segment", "segments", 1), ("no_entries", "kernels.entries", 0),
                              ("no_ports", "programs.ports", 0), ("dispatch_without_bindings",
                                                                  "programs.groups.dispatches.bindings", 0),
                              ("kernels_length_huge", "kernels", HUGE32), ("groups_length_huge", "programs.groups", 1 << 30),
                              ("name_length_huge", "target", HUGE32), ("name_unterminated", "target", 3)):
        make(name, lambda bundle, path=path, value=value: bundle.set_length(path, value))
    make("no_prefill", lambda bundle: bundle.rename("programs.name", "prefill", "prefilm"))
    make("no_head", lambda bundle: bundle.rename("programs.name", "head", "heap"))
    make("no_decode", lambda bundle: bundle.rename("programs.name", "decode", "decoda"))
    make("root_outside", lambda bundle: bundle.put("<I", HEADER, HUGE32))
    make("root_inside_itself", lambda bundle: bundle.put("<I", HEADER, 0))
    make("identifier_other", lambda bundle: bundle.put("<I", HEADER + 4, 0x58585858))
    make("metadata_zero", lambda bundle: bundle.data.__setitem__(
        slice(HEADER, HEADER + bundle.metadata_size), bytes(bundle.metadata_size)))

    def cyclic(bundle):
        """A group that is its own dispatch, and so on for ever."""
        group = bundle.follow(next(iter(bundle.elements(bundle.follow(bundle.first("programs.groups"))))))
        vector = bundle.follow(bundle.field(group, "dispatches"))
        bundle.put("<I", vector.at + 4, group.at - vector.at - 4 & HUGE32)
    make("dispatch_is_its_group", cyclic)

    def vtable(bundle):
        root = HEADER + bundle.get("<I", HEADER)
        bundle.put("<i", root, -(1 << 30))
    make("vtable_outside", vtable)


def change_layout(make, bundle):
    """Segments that overlap, and a file that is too short for the last one."""
    segments = sorted(bundle.segment(kind) for kind in range(3))
    number = next(i for i in range(3) if bundle.value("segments.offset", i) == segments[0][0])
    make("segments_overlap", lambda broken: broken.set("segments.size", segments[1][0] - segments[0][0] + 1, number))
    # The header agrees with the shorter file: only the segments tell.
    make("truncated_resealed", lambda broken: broken.data.__delitem__(slice(sum(segments[2]) - 1, None)))


def change_header(make):
    for name, at, form, value in (("magic", 0, "<B", 0x58), ("container_version", 8, "<I", 2),
                                  ("metadata_offset", 12, "<I", 0), ("metadata_size_zero", 16, "<Q", 0),
                                  ("metadata_size_huge", 16, "<Q", HUGE64), ("file_size_small", 24, "<Q", 64),
                                  ("file_size_huge", 24, "<Q", HUGE64), ("hash", 32, "<Q", 1), ("reserved", 40, "<B", 1)):
        make("header_" + name, lambda bundle, at=at, form=form, value=value: bundle.put(form, at, value), seal=False)
    make("metadata_byte_flipped", lambda bundle: bundle.put(
        "<B", HEADER + bundle.metadata_size // 2, bundle.data[HEADER + bundle.metadata_size // 2] ^ 0x10), seal=False)


def change_tokenizer(make, tokenizer):
    offset, size = tokenizer
    for name, at, value in (("magic", 0, 0), ("version", 4, 99), ("bytes", 8, HUGE32), ("kind", 12, 77)):
        make("tokenizer_" + name, lambda bundle, at=at, value=value: bundle.put("<I", offset + at, value))
    make("tokenizer_zero", lambda bundle: bundle.data.__setitem__(slice(offset, offset + size), bytes(size)))
    make("tokenizer_ones", lambda bundle: bundle.data.__setitem__(slice(offset, offset + size), b"\xff" * size))


def truncate(make, bundle):
    """At every border and inside of everything, with the header as it was."""
    sizes = {"nothing": 0, "one_byte": 1, "in_header": 40, "header": HEADER, "in_metadata": HEADER + bundle.metadata_size // 2,
             "metadata": HEADER + bundle.metadata_size, "last_byte": len(bundle.data) - 1}
    for number, name in enumerate(("code", "weights", "tokenizer")):
        offset, size = bundle.segment(number)
        sizes.update({f"before_{name}": offset, f"in_{name}": offset + size // 2})
    for name, size in sizes.items():
        make("truncated_" + name, lambda broken, size=size: broken.data.__delitem__(slice(size, None)), seal=False)
    make("appended_byte", lambda broken: broken.data.append(0), seal=False)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, directory = sys.argv[1:]
    schema = Schema(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "schema", "bundle.fbs"))
    with open(source, "rb") as file:
        data = file.read()
    os.makedirs(directory, exist_ok=True)

    def write(name, content):
        with open(os.path.join(directory, name + ".sinter"), "wb") as out:
            out.write(content)

    def make(name, change, seal=True):
        broken = Bundle(data, schema)
        change(broken)
        if seal:
            broken.seal()
        if broken.data == data:
            sys.exit(f"make_broken_bundles.py: {name} changes nothing in {source}")
        write(name, broken.data)

    valid = Bundle(data, schema)
    valid.seal()
    if valid.data != data:
        sys.exit(f"make_broken_bundles.py: {source}: hash or size in the header is wrong already")
    write("valid", data)
    change_fields(make)
    change_structure(make)
    change_layout(make, valid)
    change_header(make)
    change_tokenizer(make, valid.segment(2))
    truncate(make, valid)


if __name__ == "__main__":
    main()
