# A page's links, from where it is in the sources to where it is in the package: from /, which is the
# package's folder, and which becomes the way there from the page. What is in the sources alone is no link.
s#\](\(\.\./\)*SECURITY\.md#](/SECURITY.md#g
s#\](\(\.\./\)*README\.md\#a-vault#](/README.md\#a-vault#g
s#\](\(\.\./\)*certs/README\.md#](/examples/certs/README.md#g
s#\](\(\.\./\)*policy/README\.md#](/examples/policy/README.md#g
s#\](vault/programs/package/examples)#](/examples)#g
s#\](\(\.\./\|vault/\)*\(programs/\)handbook/#](/handbook/#g
s#\](\(\.\./\|vault/\)*\(store\|edge\|vault\)/\([a-z-]*\.md\)#](/\3#g
s#\[\([^]]*\)\](\(\.\./\)*\(README\.md\|/pages\.md\|\(tests\|vault\)/[^)]*\))#\1 (in the sources)#g
