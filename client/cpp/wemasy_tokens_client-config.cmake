# The client of WEMASY's token service: find_package(wemasy_tokens_client), and
# link wemasy::tokens_client.
include(CMakeFindDependencyMacro)
find_dependency(absl CONFIG)
find_dependency(Protobuf)
find_dependency(Threads)
find_dependency(ZLIB)

# gRPC's own package wants the development files of all that it is linked with.
find_path(WEMASY_GRPC_INCLUDE_DIR grpcpp/grpcpp.h)
find_library(WEMASY_GRPCXX_LIBRARY grpc++)
find_library(WEMASY_GRPC_LIBRARY grpc)
find_library(WEMASY_GPR_LIBRARY gpr)
foreach(variable IN ITEMS WEMASY_GRPC_INCLUDE_DIR WEMASY_GRPCXX_LIBRARY
        WEMASY_GRPC_LIBRARY WEMASY_GPR_LIBRARY)
  if(NOT ${variable})
    set(${CMAKE_FIND_PACKAGE_NAME}_FOUND FALSE)
    set(${CMAKE_FIND_PACKAGE_NAME}_NOT_FOUND_MESSAGE
      "gRPC for C++ is not installed (${variable})")
    return()
  endif()
endforeach()

get_filename_component(_wemasy_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.."
  ABSOLUTE)
if(NOT TARGET wemasy::tokens_client)
  add_library(wemasy::tokens_client STATIC IMPORTED)
  set_target_properties(wemasy::tokens_client PROPERTIES
    IMPORTED_LOCATION "${_wemasy_prefix}/lib/libwemasy_tokens_client.a"
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_INCLUDE_DIRECTORIES
      "${_wemasy_prefix}/include/wemasy_tokens_client;${WEMASY_GRPC_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES
      "${WEMASY_GRPCXX_LIBRARY};${WEMASY_GRPC_LIBRARY};${WEMASY_GPR_LIBRARY};protobuf::libprotobuf;absl::flat_hash_map;absl::inlined_vector;absl::optional;absl::random_random;absl::status;absl::statusor;absl::strings;absl::synchronization;absl::time;ZLIB::ZLIB;Threads::Threads")
endif()
unset(_wemasy_prefix)
