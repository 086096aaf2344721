{
  'targets': [
    {
      'target_name': 'node_tss',
      'sources': [
        'src/addon.cc',
        'src/failure.cc',
        'src/notify.cc',
        'src/worker.cc',
        'src/tpm/activate.cc',
        'src/tpm/attestation.cc',
        'src/tpm/binding.cc',
        'src/tpm/certify.cc',
        'src/tpm/create.cc',
        'src/tpm/device.cc',
        'src/tpm/endorsement.cc',
        'src/tpm/esys.cc',
        'src/tpm/faults.cc',
        'src/tpm/info.cc',
        'src/tpm/key.cc',
        'src/tpm/leftovers.cc',
        'src/tpm/load.cc',
        'src/tpm/parent.cc',
        'src/tpm/sign.cc',
        'src/tpm/stored_certificates.cc',
        'src/tpm/key_signer.cc',
        'src/tpm/template.cc',
        'src/tls/binding.cc',
        'src/tls/connection.cc',
        'src/tls/context.cc',
        'src/tls/errors.cc',
        'src/tls/keymgmt.cc',
        'src/tls/library.cc',
        'src/tls/provider.cc',
        'src/tls/records.cc',
        'src/tls/sessions.cc',
        'src/tls/signature.cc',
        'src/tls/software_key.cc',
      ],
      # Node ships its own copy of openssl/*.h beside its headers; the addon must be compiled against the
      # headers of the library that it links, so Node's folder is dropped and Node-API's headers stand alone.
      'include_dirs!': ['<(node_root_dir)/include/node'],
      'include_dirs': [
        'src',
        "<!(node -p \"require('node-api-headers').include_dir\")",
        "<!(node -p \"require('node-addon-api').include_dir\")",
      ],
      'defines': ['NAPI_VERSION=8', 'NAPI_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED',
                  'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc': [
        '-std=c++17', '-fexceptions', '-fvisibility=hidden', '-fvisibility-inlines-hidden',
        '-fstack-protector-strong', '-D_GLIBCXX_ASSERTIONS', '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2',
        '-Wall', '-Wextra', '-Wpedantic', '-Werror',
        # Warnings of the two header-only libraries are not ours to fix.
        "-isystem<!(node -p \"require('node-addon-api').include_dir\")",
        "-isystem<!(node -p \"require('node-api-headers').include_dir\")",
      ],
      'libraries': [
        '-l:libssl.a', '-l:libcrypto.a',
        '-ltss2-esys', '-ltss2-mu', '-ltss2-rc', '-ltss2-sys', '-ltss2-tctildr',
      ],
      'ldflags': [
        '-Wl,--exclude-libs,ALL', '-Wl,-Bsymbolic', '-Wl,-z,nodelete', '-Wl,-z,relro', '-Wl,-z,now',
        '-Wl,--as-needed', "-Wl,--version-script=<(module_root_dir)/src/exports.map",
      ],
      'variables': { 'sanitize%': 'false' },
      'conditions': [
        ['sanitize=="true"', {
          # What a sanitizer finds ends the process: a report that nobody reads is none.
          'cflags_cc': [
            '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer', '-O1', '-g',
            '-U_FORTIFY_SOURCE',
          ],
          'ldflags': ['-fsanitize=address,undefined'],
        }],
      ],
    },
  ],
}
