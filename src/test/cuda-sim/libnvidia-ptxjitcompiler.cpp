// The library that NVIDIA's driver compiles PTX with. The simulated driver opens it by name and needs nothing in it.
