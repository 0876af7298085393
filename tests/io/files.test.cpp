// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/io/files.hpp>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

namespace {

namespace fs = std::filesystem;
using mars::io::read_file;
using mars::io::write_file;

/// A folder of its own, gone at the end.
struct scratch {
  fs::path folder;

  scratch() {
    for (int i = 0;; ++i) {
      folder = fs::temp_directory_path() / (std::string{"mars_files_test_"} + std::to_string(i));
      if (fs::create_directory(folder)) break;
    }
  }
  scratch(scratch const&) = delete;
  auto operator=(scratch const&) -> scratch& = delete;
  ~scratch() {
    std::error_code ignored;
    fs::permissions(folder, fs::perms::owner_all, ignored);
    fs::remove_all(folder, ignored);
  }
  [[nodiscard]] auto operator/(char const* name) const -> std::string {
    return (folder / name).string();
  }
  [[nodiscard]] auto count() const -> std::ptrdiff_t {
    return std::distance(fs::directory_iterator{folder}, fs::directory_iterator{});
  }
};

} // namespace

TEST_CASE("what is written is what is read") {
  scratch const s;
  std::string const binary{"a\0b\r\n\xff", 6};
  for (auto const& content :
       {std::string{}, std::string{"one line\n"}, binary, std::string(300'000, 'x')}) {
    REQUIRE(write_file(s / "file", content));
    CHECK(read_file(s / "file").value() == content);
    CHECK(s.count() == 1);
  }
}

TEST_CASE("files that cannot be read are one clear error") {
  scratch const s;
  auto const missing = read_file(s / "missing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == mars::error_code::io);
  CHECK(missing.error().path == s / "missing");
  CHECK_FALSE(missing.error().detail.empty());
  CHECK_FALSE(read_file(s.folder.string()));
  CHECK_FALSE(read_file(""));

  REQUIRE(write_file(s / "eleven", "eleven char"));
  CHECK(read_file(s / "eleven", 11));
  auto const large = read_file(s / "eleven", 10);
  REQUIRE_FALSE(large);
  CHECK(large.error().found == "more than 10 bytes");
  if (fs::exists("/dev/zero")) CHECK_FALSE(read_file("/dev/zero", 1 << 20));
}

TEST_CASE("a write that fails changes nothing and leaves nothing") {
  scratch const s;
  REQUIRE(write_file(s / "kept", "before"));
  CHECK_FALSE(write_file(s / "no/such/folder", "x"));
  CHECK_FALSE(write_file(s.folder.string(), "x"));
  CHECK_FALSE(write_file("", "x"));
  CHECK(s.count() == 1);

  SECTION("a disk that is full") {
    if (!fs::exists("/dev/full")) return;
    auto const full = write_file("/dev/full", "x");
    REQUIRE_FALSE(full);
    CHECK(full.error().code == mars::error_code::io);
    CHECK(fs::is_character_file("/dev/full"));
  }
  SECTION("a name that is too long") {
    CHECK_FALSE(write_file(s / std::string(300, 'n').c_str(), "x"));
    CHECK(s.count() == 1);
  }
  SECTION("every name aside is taken") {
    for (int i = 0; i < 100; ++i)
      fs::create_directory(s / (std::string{"kept.writing-"} + std::to_string(i)).c_str());
    CHECK_FALSE(write_file(s / "kept", "after"));
    CHECK(s.count() == 101);
  }
  CHECK(read_file(s / "kept").value() == "before");
}

TEST_CASE("somebody's file that lies aside is not touched") {
  scratch const s;
  REQUIRE(write_file(s / "x.writing-0", "mine"));
  REQUIRE(write_file(s / "x", "new"));
  CHECK(read_file(s / "x.writing-0").value() == "mine");
  CHECK(read_file(s / "x").value() == "new");
  CHECK(s.count() == 2);
}

TEST_CASE("what exists keeps its kind and its permissions") {
  scratch const s;
  REQUIRE(write_file(s / "real", "old"));
  fs::permissions(s / "real", fs::perms::owner_read | fs::perms::owner_write);
  std::error_code code;
  fs::create_symlink("real", s / "link", code);
  if (!code) {
    REQUIRE(write_file(s / "link", "through the link"));
    CHECK(fs::is_symlink(s / "link"));
    CHECK(read_file(s / "real").value() == "through the link");
  }
  REQUIRE(write_file(s / "real", "new"));
  CHECK(fs::status(s / "real").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  if (fs::exists("/dev/null")) {
    CHECK(write_file("/dev/null", "nobody reads this"));
    CHECK(fs::is_character_file("/dev/null"));
  }
}
