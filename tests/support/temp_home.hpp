#pragma once

#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include <stdlib.h>

namespace vipauth::test {

/// A fresh folder (mode 0700) below the system's temporary one, removed with all it holds when destroyed.
class TempHome {
 public:
  TempHome() {
    std::string path = (std::filesystem::temp_directory_path() / "vipauth-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = path;
  }
  TempHome(const TempHome&) = delete;
  TempHome& operator=(const TempHome&) = delete;
  ~TempHome() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  /// Writes a file as most programs do: in place. A new one is private, as strict modes want it.
  void write(std::string_view name, std::string_view content) const {
    const bool is_new = !std::filesystem::exists(path_ / name);
    std::ofstream file(path_ / name, std::ios::binary | std::ios::trunc);
    if (is_new) set_mode(name, 0600);
    file << content;
    if (!file.flush()) throw std::runtime_error("cannot write " + std::string(name));
  }

  /// Makes a private folder.
  void make_folder(std::string_view name) const {
    std::filesystem::create_directory(path_ / name);
    set_mode(name, 0700);
  }

  /// Sets the mode of a file in the folder, or of the folder itself (".").
  void set_mode(std::string_view name, unsigned mode) const {
    std::filesystem::permissions(path_ / name, static_cast<std::filesystem::perms>(mode));
  }

  /// Writes a file as careful programs do: a new one, renamed over the old one.
  void replace(std::string_view name, std::string_view content) const {
    const std::string temporary = std::string(name) + ".new";
    write(temporary, content);
    std::filesystem::rename(path_ / temporary, path_ / name);
  }

  std::string read(std::string_view name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + std::string(name));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  bool has(std::string_view name) const { return std::filesystem::exists(path_ / name); }

 private:
  std::filesystem::path path_;
};

}  // namespace vipauth::test
