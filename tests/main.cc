// The main function of every test executable, and the only place where Catch is compiled.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
