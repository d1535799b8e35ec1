#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "shrike/base/check.h"

namespace shrike::flow {

/// A fixed array whose pages cost nothing until they are touched; all elements start as zero
/// bytes. Taken by the constructor, given back by the destructor, never grown.
template <typename Element>
class LazyArray {
  static_assert(std::is_trivially_copyable_v<Element>);

 public:
  explicit LazyArray(size_t count) : count_(count) {
    void* const memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(memory != MAP_FAILED, "address space for flows");
    elements_ = static_cast<Element*>(memory);
  }
  ~LazyArray() { munmap(elements_, bytes()); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;

  Element& operator[](size_t index) noexcept { return elements_[index]; }
  const Element& operator[](size_t index) const noexcept { return elements_[index]; }
  [[nodiscard]] Element* data() noexcept { return elements_; }
  [[nodiscard]] size_t size() const noexcept { return count_; }

 private:
  [[nodiscard]] size_t bytes() const noexcept { return (count_ + 1) * sizeof(Element); }

  size_t count_;
  Element* elements_ = nullptr;
};

/// Fixed-size nodes that refer to each other by index; 0 is "none". `Node` has a member `next`.
/// Pages are touched only as far as nodes were ever used at once.
template <typename Node>
class NodePool {
 public:
  explicit NodePool(uint32_t nodes_max) : nodes_(size_t{nodes_max} + 1) {}

  Node& operator[](uint32_t index) noexcept { return nodes_[index]; }
  const Node& operator[](uint32_t index) const noexcept { return nodes_[index]; }

  /// A zeroed node, or 0 where all are in use (the caller counts it).
  uint32_t take() noexcept {
    uint32_t index = free_;
    if (index != 0) {
      free_ = nodes_[index].next;
    } else if (used_ + 1 < nodes_.size()) {
      index = ++used_;
    } else {
      return 0;
    }
    nodes_[index] = Node{};
    return index;
  }
  void give_back(uint32_t index) noexcept {
    nodes_[index].next = free_;
    free_ = index;
  }

 private:
  LazyArray<Node> nodes_;
  uint32_t free_ = 0;
  uint32_t used_ = 0;
};

}  // namespace shrike::flow
