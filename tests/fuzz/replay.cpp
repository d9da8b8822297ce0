// fuzz_replay TARGET FOLDER...: gives each file of the folders, in the order of names, to a fuzz target.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "targets.hpp"

namespace {

std::vector<std::filesystem::path> files_in(const char* folder) {
  std::vector<std::filesystem::path> files;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::uint8_t> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const auto* const target =
      std::find_if(std::begin(kFuzzTargets), std::end(kFuzzTargets),
                   [&](const auto& each) { return std::string_view(argv[1]) == each.name; });
  if (target == std::end(kFuzzTargets)) return 64;
  std::size_t count = 0;
  for (int i = 2; i < argc; ++i) {
    for (const auto& file : files_in(argv[i])) {
      std::fprintf(stderr, "%s\n", file.c_str());  // the last is the one that fails
      const auto bytes = read(file);
      target->run(bytes.data(), bytes.size());
      ++count;
    }
  }
  return count > 0 ? 0 : 1;
}
