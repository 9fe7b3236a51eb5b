"""Archives and files in the forms of published data sets."""

import io
import tarfile

import scipy.io
from PIL import Image


def archive(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def encoded(picture, file_format="JPEG"):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, file_format)
    return buffer.getvalue()


def matlab(**variables):
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables)
    return buffer.getvalue()


def cifar_records(pictures_of_file, label_bytes):
    return b"".join(
        bytes(label_bytes(number)) + picture.transpose(2, 0, 1).tobytes()
        for number, picture in enumerate(pictures_of_file)
    )
