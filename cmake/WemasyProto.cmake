# wemasy_proto_library(NAME ROOT dir | DESCRIPTORS file PROTOS a/b.proto ...
#                      [DEPS target ...] [GRPC] [DESCRIPTOR_SET file])
#
# A static library of the C++ that protoc generates for PROTOS, which are named
# relative to ROOT, as imports and includes are: "a/b.pb.h". With GRPC also
# "a/b.grpc.pb.h". DEPS are other such libraries whose files are imported.
# With DESCRIPTORS, a FileDescriptorSet of all these, there need be no sources.
# DESCRIPTOR_SET also writes a FileDescriptorSet with imports and comments.
#
# Generated headers count as system headers, and nothing here is held to our
# warnings.
function(wemasy_proto_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "GRPC"
    "ROOT;DESCRIPTORS;DESCRIPTOR_SET" "PROTOS;DEPS")
  _wemasy_check_arguments(${name} arg)
  set(out "${CMAKE_BINARY_DIR}/generated/${name}")
  file(MAKE_DIRECTORY "${out}")

  set(roots "${arg_ROOT}")
  foreach(dependency IN LISTS arg_DEPS)
    get_target_property(more ${dependency} WEMASY_PROTO_ROOTS)
    list(APPEND roots ${more})
  endforeach()
  list(REMOVE_DUPLICATES roots)
  list(TRANSFORM roots PREPEND "--proto_path=" OUTPUT_VARIABLE import_options)

  set(inputs ${arg_PROTOS})
  list(TRANSFORM inputs PREPEND "${arg_ROOT}/")
  if(arg_DESCRIPTORS)
    set(import_options "--descriptor_set_in=${arg_DESCRIPTORS}")
    set(inputs "${arg_DESCRIPTORS}")
  endif()
  set(protoc protobuf::protoc ${import_options})
  set(generate ${protoc} "--cpp_out=${out}")
  set(extensions pb)
  if(arg_GRPC)
    list(APPEND generate "--grpc_out=${out}"
      "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>")
    list(APPEND extensions grpc.pb)
  endif()

  set(generated)
  foreach(proto IN LISTS arg_PROTOS)
    cmake_path(REMOVE_EXTENSION proto LAST_ONLY OUTPUT_VARIABLE stem)
    set(outputs)
    foreach(extension IN LISTS extensions)
      list(APPEND outputs
        "${out}/${stem}.${extension}.h" "${out}/${stem}.${extension}.cc")
    endforeach()
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND ${generate} "${proto}"
      # All files of the library, because they import one another.
      DEPENDS ${inputs} protobuf::protoc
      COMMENT "Generating C++ from ${proto}"
      VERBATIM)
    list(APPEND generated ${outputs})
  endforeach()

  add_library(${name} STATIC ${generated})
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    # Generated code takes long to compile, and is as little ours as the library
    # that it calls.
    target_compile_options(${name} PRIVATE -O0 -g0 -fno-sanitize=all)
  endif()
  target_include_directories(${name} SYSTEM PUBLIC "${out}")
  target_link_libraries(${name} PUBLIC ${arg_DEPS} protobuf::libprotobuf)
  if(arg_GRPC)
    target_link_libraries(${name} PUBLIC gRPC::grpc++)
  endif()
  set_target_properties(${name} PROPERTIES WEMASY_PROTO_ROOTS "${roots}")

  if(arg_DESCRIPTOR_SET)
    add_custom_command(
      OUTPUT "${arg_DESCRIPTOR_SET}"
      COMMAND ${protoc} --include_imports --include_source_info
              "--descriptor_set_out=${arg_DESCRIPTOR_SET}" ${arg_PROTOS}
      DEPENDS ${inputs} protobuf::protoc
      COMMENT "Writing the descriptor set of ${name}"
      VERBATIM)
    add_custom_target(${name}_descriptor_set ALL
      DEPENDS "${arg_DESCRIPTOR_SET}")
  endif()
endfunction()
