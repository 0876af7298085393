// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace mars {

/// Larger files are refused unless the caller says otherwise.
inline constexpr std::uint64_t default_size_limit = std::uint64_t{1} << 30;

namespace detail {

struct close_file {
  void operator()(std::FILE* f) const { (void)std::fclose(f); }
};
using file_handle = std::unique_ptr<std::FILE, close_file>;

[[nodiscard]] inline auto io_failure(std::string const& path, char const* what, int number)
    -> unexpected<error> {
  return fail(error_code::io, path, {}, {},
              std::string{what} + (number == 0 ? "" : std::string{": "} + std::strerror(number)));
}

/// Writes and closes; the errno of what went wrong, 0 for success.
[[nodiscard]] inline auto put_and_close(file_handle file, std::string_view content) -> int {
  errno = 0;
  auto const failed = [](int otherwise) { return errno != 0 ? errno : otherwise; };
  if (!content.empty() &&
      std::fwrite(content.data(), 1, content.size(), file.get()) != content.size())
    return failed(EIO);
  if (std::fflush(file.get()) != 0) return failed(EIO);
  return std::fclose(file.release()) == 0 ? 0 : failed(EIO);
}

} // namespace detail

/// The whole content of a file. Errors (`io`, the path in `path`): it cannot be opened or read, it is a
/// folder, it is larger than `limit` bytes.
[[nodiscard]] inline auto read_file(std::string const& path,
                                    std::uint64_t limit = default_size_limit)
    -> expected<std::string> {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return detail::io_failure(path, "cannot read: it is a folder", 0);
  errno = 0;
  detail::file_handle const file{std::fopen(path.c_str(), "rb")};
  if (!file) return detail::io_failure(path, "cannot open", errno);
  std::string content;
  std::string block(std::size_t{1} << 16, '\0');
  while (auto const n = std::fread(block.data(), 1, block.size(), file.get())) {
    content.append(block.data(), n);
    if (content.size() > limit)
      return fail(error_code::io, path,
                  std::string{"more than "} + std::to_string(limit) + " bytes", "a smaller file");
  }
  if (std::ferror(file.get()) != 0) return detail::io_failure(path, "cannot read", errno);
  return content;
}

/// Makes `content` the content of a file, all of it or nothing: it is written aside, in the same
/// folder, and renamed. An existing file keeps its permissions, a symbolic link keeps pointing; what
/// is no regular file (a terminal, a pipe, a device) is written to directly. Error: `io`; then no
/// file has changed and none is left behind.
[[nodiscard]] inline auto write_file(std::string const& path, std::string_view content)
    -> expected<void> {
  namespace fs = std::filesystem;
  std::error_code code;
  auto const status = fs::status(path, code);
  if (fs::is_directory(status)) return detail::io_failure(path, "cannot write: it is a folder", 0);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    errno = 0;
    detail::file_handle file{std::fopen(path.c_str(), "wb")};
    if (!file) return detail::io_failure(path, "cannot open", errno);
    auto const failed = detail::put_and_close(std::move(file), content);
    if (failed != 0) return detail::io_failure(path, "cannot write", failed);
    return {};
  }

  fs::path target{path};
  if (fs::exists(status)) {
    auto real = fs::canonical(path, code);
    if (!code) target = std::move(real);
  }
  // "x": never the file of somebody who writes at the same time.
  fs::path aside;
  detail::file_handle file;
  for (int i = 0; !file && i < 100; ++i) {
    aside = target;
    aside += std::string{".writing-"} + std::to_string(i);
    errno = 0;
    file.reset(std::fopen(aside.string().c_str(), "wbx"));
    if (!file && errno != EEXIST) return detail::io_failure(path, "cannot write", errno);
  }
  if (!file) return detail::io_failure(path, "cannot write", EEXIST);
  if (auto const failed = detail::put_and_close(std::move(file), content); failed != 0) {
    (void)fs::remove(aside, code);
    return detail::io_failure(path, "cannot write", failed);
  }
  if (fs::exists(status)) fs::permissions(aside, status.permissions(), code);
  fs::rename(aside, target, code);
  if (!code) return {};
  auto const why = code.message();
  (void)fs::remove(aside, code);
  return fail(error_code::io, path, {}, {}, std::string{"cannot write: "} + why);
}

} // namespace mars
