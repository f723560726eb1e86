//===- ContainerTest.cpp - Header, hashes, digests --------------------------------===//

#include "schema/container.h"
#include "runtime/tools/sinter/sha256.h"
#include "schema/bundle_schema.h"

#include <gtest/gtest.h>

#include <string>

using namespace sinter;

namespace {

TEST(Container, Fnv1aVectors) {
  // From the authors' list of test vectors.
  EXPECT_EQ(container::fnv1a64(""), 0xcbf29ce484222325u);
  EXPECT_EQ(container::fnv1a64("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(container::fnv1a64("foobar"), 0x85944171f73967e8u);
}

TEST(Container, HeaderRoundTrip) {
  unsigned char bytes[container::header_bytes];
  container::write_header(bytes, {0x1122334455667788, 99, 7});
  EXPECT_EQ(std::string(reinterpret_cast<char *>(bytes), 8), "SINTER\x1a\n");
  EXPECT_EQ(container::read_le(bytes + container::field::metadata_size, 8), 0x1122334455667788u);
  EXPECT_EQ(container::read_le(bytes + container::field::file_size, 8), 99u);
  EXPECT_EQ(container::read_le(bytes + container::field::metadata_hash, 8), 7u);
  EXPECT_EQ(bytes[16], 0x88) << "little endian";
}

TEST(Container, SchemaTextIsTheSchema) {
  EXPECT_NE(std::string(bundle::schema_text).find("root_type Bundle;"), std::string::npos);
  EXPECT_EQ(bundle::schema_hash, container::fnv1a64(bundle::schema_text));
}

std::string digest_of(const std::string &text, size_t strip) {
  tool::sha256 hash;
  for (size_t at = 0; at < text.size(); at += strip)
    hash.add(reinterpret_cast<const uint8_t *>(text.data()) + at,
             std::min(strip, text.size() - at));
  std::string out;
  for (uint8_t byte : hash.finish()) {
    char two[3];
    std::snprintf(two, sizeof(two), "%02x", byte);
    out += two;
  }
  return out;
}

TEST(Sha256, Vectors) {
  // FIPS 180-4's examples; the million of 'a' in strips that do not fit the block.
  EXPECT_EQ(digest_of("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_of("abc", 1),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(std::string(1000000, 'a'), 67),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

} // namespace
