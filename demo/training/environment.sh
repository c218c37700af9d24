# Source this before training on a CPU. Without it glibc gives every large tensor back to the kernel,
# oneDNN forgets the kernels it made for older shapes, and threads spin while they wait for each other,
# which costs most of the time when other programs want the same cores.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=268435456 MALLOC_ARENA_MAX=1
export ONEDNN_PRIMITIVE_CACHE_CAPACITY=4096
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
