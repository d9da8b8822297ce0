#pragma once

// The one place that names the test framework's header.
#include <catch2/catch.hpp>
