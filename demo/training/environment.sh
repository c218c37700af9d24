# Source this before training on a CPU. Without it glibc gives every large tensor back to the kernel
# and oneDNN forgets the kernels it made for older shapes.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=268435456 MALLOC_ARENA_MAX=1
export ONEDNN_PRIMITIVE_CACHE_CAPACITY=4096
