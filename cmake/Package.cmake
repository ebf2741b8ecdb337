# What is installed and where, and the Debian package that CPack makes of it (scripts/package). The service expects the
# prefix /usr, with its configuration in /etc.
include(GNUInstallDirs)
set(graftd_etc ${CMAKE_INSTALL_FULL_SYSCONFDIR})
set(graftd_share ${CMAKE_INSTALL_DATADIR}/graftd)

# Compressed without name and time, as Debian wants its manual pages and changelogs.
function(install_compressed source destination)
  install(CODE "
    set(place \"\$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${destination}\")
    cmake_path(GET place PARENT_PATH folder)
    file(MAKE_DIRECTORY \"\${folder}\")
    message(STATUS \"Installing: ${CMAKE_INSTALL_PREFIX}/${destination}\")
    execute_process(COMMAND gzip -9nc \"${PROJECT_SOURCE_DIR}/${source}\" OUTPUT_FILE \"\${place}\"
                    COMMAND_ERROR_IS_FATAL ANY)
    file(CHMOD \"\${place}\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)")
endfunction()

install(TARGETS graftd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

install(FILES config/graftd.yaml DESTINATION ${graftd_etc}/graftd)
install(DIRECTORY DESTINATION ${graftd_etc}/graftd/manifests)
install(FILES deploy/debian/graftd.default DESTINATION ${graftd_etc}/default RENAME graftd)

install(FILES deploy/systemd/graftd.service DESTINATION /lib/systemd/system)
install(FILES deploy/systemd/graftd.sysusers DESTINATION lib/sysusers.d RENAME graftd.conf)
install(FILES deploy/systemd/graftd.tmpfiles DESTINATION lib/tmpfiles.d RENAME graftd.conf)

foreach(page graftd.8 graftd.yaml.5 graftd-manifest.5 graftd-metrics.7)
  string(REGEX MATCH "[0-9]$" section ${page})
  install_compressed(docs/man/${page} ${CMAKE_INSTALL_MANDIR}/man${section}/${page}.gz)
endforeach()
install(FILES deploy/completion/graftd.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME graftd)
install(FILES deploy/completion/_graftd DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES deploy/completion/graftd.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(DIRECTORY config/schema/ DESTINATION ${graftd_share}/schema FILES_MATCHING PATTERN "*.schema.json")
install(FILES deploy/prometheus/graftd.rules.yaml DESTINATION ${graftd_share}/prometheus)
install(FILES deploy/grafana/graftd-dashboard.json deploy/grafana/graftd.yaml DESTINATION ${graftd_share}/grafana)

install(FILES README.md SECURITY.md deploy/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md" PATTERN man EXCLUDE)
install(DIRECTORY config/examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES deploy/systemd/network.conf.example deploy/systemd/notify-reload.conf
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/systemd)
install_compressed(deploy/debian/changelog ${CMAKE_INSTALL_DOCDIR}/changelog.gz)
install_compressed(CHANGELOG.md ${CMAKE_INSTALL_DOCDIR}/CHANGELOG.md.gz)

if(GRAFTD_PACKAGE)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  install(CODE "
    execute_process(
      COMMAND \"${Python3_EXECUTABLE}\" \"${PROJECT_SOURCE_DIR}/cmake/sbom.py\"
        --version \"${PROJECT_VERSION}\" --binary \"$<TARGET_FILE:graftd>\"
        --build \"${PROJECT_BINARY_DIR}\" --compiler \"${CMAKE_CXX_COMPILER}\"
        --output \"\$ENV{DESTDIR}${CMAKE_INSTALL_FULL_DOCDIR}/graftd.spdx.json\"
      COMMAND_ERROR_IS_FATAL ANY)")
endif()

set(debian ${PROJECT_SOURCE_DIR}/deploy/debian)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME graftd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "graftd maintainers <maintainers@graftd.example.org>")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What its libraries need is added; the user and the directories are made at installation.
set(depends "debconf (>= 0.5) | debconf-2.0"
            "systemd | systemd-standalone-sysusers | systemd-sysusers"
            "systemd | systemd-standalone-tmpfiles | systemd-tmpfiles")
list(JOIN depends ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, systemd")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "keeps a live Grafana equal to YAML manifests")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"graftd reads manifests of organizations, members, service accounts,
service-account tokens, folders and dashboards, compares them with a live,
self-hosted Grafana, changes what differs, and does so again every minute.
What is not declared is left alone.

Keys of tokens are delivered to files, Kubernetes Secrets or Vault, rotated
before they expire, and never lost to a crash.

The package holds the daemon, its systemd service, manual pages, shell
completion, JSON schemas of the manifests, alert rules for Prometheus and a
dashboard.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${debian}/conffiles ${debian}/config ${debian}/templates ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
