#!/bin/sh
# `server FOLDER …` and the root user of the environment, as MinIO has them.
set -eu
[ "$1" = server ]
cat >/tmp/s3.json <<C
{"identities": [{"name": "root", "credentials": [{"accessKey": "$MINIO_ROOT_USER", "secretKey": "$MINIO_ROOT_PASSWORD"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
C
cd /tmp
exec /opt/weed/bin/weed -logtostderr=true mini -dir="$2" -ip=127.0.0.1 -ip.bind=0.0.0.0 -s3.port=9000 \
  -master.port=9333 -volume.port=9340 -filer.port=8888 -admin.ui=false -webdav=false -s3.port.iceberg=0 -s3.port.lance=0 \
  -master.telemetry=false -s3.config=/tmp/s3.json -s3.allowDeleteBucketNotEmpty=false
