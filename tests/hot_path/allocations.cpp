#include "hot_path/allocations.hpp"

#include <cstdlib>
#include <new>

namespace vipauth::test {
namespace {

thread_local constinit Allocations done;
thread_local constinit std::size_t until_failure = 0;  // 0: none

bool is_to_fail() noexcept { return until_failure != 0 && --until_failure == 0; }

void* counted(std::size_t size) noexcept {
  ++done.count;
  done.bytes += size;
  if (is_to_fail()) return nullptr;
  return std::malloc(size == 0 ? 1 : size);
}

void* counted(std::size_t size, std::align_val_t alignment) noexcept {
  ++done.count;
  done.bytes += size;
  if (is_to_fail()) return nullptr;
  const auto align = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(align, (size + align - 1) / align * align);
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

Allocations allocations() noexcept { return done; }

void fail_allocation(std::size_t number) noexcept { until_failure = number; }

}  // namespace vipauth::test

// The program's own, for all of it: the arrays' and those with a size call these.
void* operator new(std::size_t size) { return vipauth::test::or_throw(vipauth::test::counted(size)); }
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return vipauth::test::counted(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return vipauth::test::or_throw(vipauth::test::counted(size, alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
