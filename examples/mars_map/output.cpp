// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "output.hpp"

#include <mars/io/files.hpp>

#include <filesystem>
#include <system_error>

namespace mars_map {

namespace {

namespace fs = std::filesystem;

[[nodiscard]] auto refuse(std::string const& where, std::string why)
    -> mars::unexpected<mars::error> {
  return mars::fail(mars::error_code::io, where, {}, {},
                    std::string{"cannot write: "} + std::move(why));
}

/// A name beside `path` that nothing has.
[[nodiscard]] auto aside(fs::path const& path) -> fs::path {
  for (int i = 0;; ++i) {
    auto name = path;
    name += std::string{".part-"} + std::to_string(i);
    std::error_code ignored;
    if (i == 1000 || !fs::exists(fs::symlink_status(name, ignored))) return name;
  }
}

/// Removes what was written aside, and the folders that were made for it, unless all went well.
class leftovers {
public:
  leftovers() = default;
  leftovers(leftovers const&) = delete;
  auto operator=(leftovers const&) -> leftovers& = delete;
  ~leftovers() {
    std::error_code ignored;
    // The last one first: folders are empty again when their turn comes.
    for (auto i = paths_.size(); i-- > 0;) fs::remove(paths_[i], ignored);
  }
  void add(fs::path p) { paths_.push_back(std::move(p)); }
  void keep() { paths_.clear(); }

private:
  std::vector<fs::path> paths_;
};

[[nodiscard]] auto make_folders(fs::path const& folder, leftovers& made) -> std::error_code {
  std::error_code code;
  if (folder.empty() || fs::exists(folder, code)) return {};
  if (code = make_folders(folder.parent_path(), made); code) return code;
  if (fs::create_directory(folder, code)) made.add(folder);
  return code;
}

} // namespace

auto file_batch::write() const -> mars::expected<void> {
  leftovers made;
  std::vector<std::pair<fs::path, fs::path>> renames;
  for (auto const& [path, content] : files_) {
    std::error_code code;
    auto target = fs::path{path};
    if (fs::is_directory(target, code)) return refuse(path, "it is a folder");
    // A terminal or a pipe cannot be renamed to: those are written last, below.
    if (fs::exists(target, code) && !fs::is_regular_file(target, code)) continue;
    if (code = make_folders(target.parent_path(), made); code) return refuse(path, code.message());
    if (fs::exists(target, code)) target = fs::canonical(target, code);
    auto part = aside(target);
    made.add(part);
    if (auto ok = mars::io::write_file(part.string(), content); !ok) {
      auto e = std::move(ok).error();
      e.path = path;
      return mars::unexpected{std::move(e)};
    }
    renames.emplace_back(std::move(part), std::move(target));
  }
  for (auto const& [part, target] : renames) {
    std::error_code code;
    fs::rename(part, target, code);
    if (code) return refuse(target.string(), code.message());
  }
  made.keep();
  for (auto const& [path, content] : files_) {
    std::error_code code;
    if (fs::is_regular_file(path, code)) continue;
    if (auto ok = mars::io::write_file(path, content); !ok) return ok;
  }
  return {};
}

auto check_writable_file(char const* option, std::string const& path) -> mars::expected<void> {
  std::error_code code;
  auto const where = std::string{option} + " " + path;
  if (fs::is_directory(path, code)) return refuse(where, "it is a folder");
  auto folder = fs::path{path}.parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::is_directory(folder, code))
    return refuse(where, std::string{"there is no folder "} + folder.string());
  return {};
}

auto check_writable_folder(char const* option, std::string const& path) -> mars::expected<void> {
  std::error_code code;
  for (fs::path p{path}; !p.empty(); p = p.parent_path()) {
    if (fs::is_directory(p, code)) return {};
    if (fs::exists(fs::symlink_status(p, code)))
      return refuse(std::string{option} + " " + path, p.string() + " is no folder");
    if (p == p.parent_path()) break;
  }
  return {};
}

} // namespace mars_map
