# The distribution's libraries, and BoringSSL, as imported targets:
#
#   absl::*  gRPC::grpc++  gRPC::grpc++_reflection  protobuf::libprotobuf
#   wemasy::pqxx  prometheus-cpp::core  prometheus-cpp::pull  ZLIB::ZLIB
#   Boost::headers  CLI11::CLI11  nlohmann_json::nlohmann_json
#   Threads::Threads
#   wemasy::jemalloc (only where installed)
#   GTest::gtest  GTest::gmock  GTest::gmock_main  benchmark::benchmark
#   wemasy::boringcrypto (for common/crypto only)
#
# gRPC::grpc++_error_details must not be linked: it brings a google.rpc.Status
# of its own, which clashes with googleapis_protos.

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl CONFIG REQUIRED)
# What gRPC's shared library itself is linked with is no concern of ours. Least
# of all may we link libcrypto.so: it could stand in for BoringSSL.
foreach(package IN ITEMS OPENSSL c-ares re2)
  set(${package}_FOUND TRUE)
endforeach()
find_package(gRPC CONFIG REQUIRED)
get_target_property(libraries gRPC::grpc INTERFACE_LINK_LIBRARIES)
list(REMOVE_ITEM libraries
  OpenSSL::SSL OpenSSL::Crypto c-ares::cares re2::re2 gRPC::upb
  gRPC::address_sorting)
set_target_properties(gRPC::grpc PROPERTIES
  INTERFACE_LINK_LIBRARIES "${libraries}")
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
if(BUILD_TESTING)
  find_package(GTest CONFIG REQUIRED)
  find_package(benchmark CONFIG REQUIRED)
endif()

find_package(PkgConfig REQUIRED)
pkg_check_modules(WEMASY_PQXX REQUIRED IMPORTED_TARGET libpqxx libpq)
add_library(wemasy::pqxx ALIAS PkgConfig::WEMASY_PQXX)
pkg_check_modules(WEMASY_JEMALLOC IMPORTED_TARGET jemalloc)
if(TARGET PkgConfig::WEMASY_JEMALLOC)
  add_library(wemasy::jemalloc ALIAS PkgConfig::WEMASY_JEMALLOC)
endif()

# Sets `result` to the path that a script of ours prints, which it makes first
# if scripts/install-deps has not.
function(_wemasy_cached_path script result)
  execute_process(
    COMMAND "${CMAKE_SOURCE_DIR}/scripts/${script}"
    OUTPUT_VARIABLE path
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT EXISTS "${path}")
    message(FATAL_ERROR
      "scripts/${script} failed (${status}): run scripts/install-deps")
  endif()
  set(${result} "${path}" PARENT_SCOPE)
endfunction()

# BoringSSL, linked statically with hidden symbols, because gRPC and libpq bring
# OpenSSL's symbols of the same names into the process.
_wemasy_cached_path(build-boringssl WEMASY_BORINGSSL_DIR)
add_library(wemasy_boringcrypto STATIC IMPORTED)
set_target_properties(wemasy_boringcrypto PROPERTIES
  IMPORTED_LOCATION "${WEMASY_BORINGSSL_DIR}/lib/libboringcrypto.a"
  INTERFACE_INCLUDE_DIRECTORIES "${WEMASY_BORINGSSL_DIR}/include"
  INTERFACE_LINK_LIBRARIES Threads::Threads)
add_library(wemasy::boringcrypto ALIAS wemasy_boringcrypto)

# Where google/api and google/rpc's .proto files are.
_wemasy_cached_path(python-env WEMASY_PYTHON_ENV)
file(GLOB WEMASY_GOOGLEAPIS_DIR
  "${WEMASY_PYTHON_ENV}/lib/python3*/site-packages/google/api/resource.proto")
if(NOT WEMASY_GOOGLEAPIS_DIR)
  message(FATAL_ERROR "${WEMASY_PYTHON_ENV} has no google/api/resource.proto")
endif()
cmake_path(SET WEMASY_GOOGLEAPIS_DIR NORMALIZE
  "${WEMASY_GOOGLEAPIS_DIR}/../../..")

# Envoy's external authorization, as a FileDescriptorSet.
_wemasy_cached_path(public-protos WEMASY_PUBLIC_DESCRIPTORS)
